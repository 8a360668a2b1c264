import { join } from 'node:path'
import { OwnedProcess } from '../lab/owned-process.ts'
import { processTree } from './process-tree.ts'
import { TopicPeer } from './topic-peer.ts'
import { until } from './until.ts'

const labMain = join(import.meta.dirname, '..', 'lab', 'main.ts')
const startWithinMs = 90_000

/** One stream as the page gets it (spec booking 10). */
interface PageStream {
  readonly for: string
  readonly url: string
  readonly token: string
}

/** What `npm start` runs, on free ports: relay, agent, camera, instrument and page, supervised by the lab itself. */
export class LabUnderTest implements AsyncDisposable {
  readonly address: string
  readonly #process: OwnedProcess

  private constructor(process: OwnedProcess, address: string) {
    this.#process = process
    this.address = address
  }

  static async start(args: readonly string[] = []): Promise<LabUnderTest> {
    let address: string | undefined
    const lab = await OwnedProcess.start({
      name: 'lab',
      command: process.execPath,
      // What it measures is not to be shared with an sshd.
      args: [labMain, '--port', '0', '--no-ssh', ...args],
      onLine: (line) => {
        address ??= /^Open (http:\S+)$/.exec(line)?.[1]
      },
    })
    try {
      const found = await until('the address of the lab', () => address, { withinMs: startWithinMs })
      return new LabUnderTest(lab, found)
    } catch (error) {
      await lab.stop(5000)
      throw new Error(`the lab did not start: ${lab.lastLines.join(' | ')}`, { cause: error })
    }
  }

  get pid(): number {
    return this.#process.pid
  }

  /** The streams of a fresh visit to the page. */
  async streams(): Promise<readonly PageStream[]> {
    const response = await fetch(this.address, { redirect: 'manual' })
    const fragment = new URL(response.headers.get('location') ?? '', this.address).hash.slice(1)
    return JSON.parse(new URLSearchParams(fragment).get('streams') ?? '[]') as readonly PageStream[]
  }

  /** Joins the topic of `video` or `data` as a browser would. */
  async join(what: 'video' | 'data'): Promise<TopicPeer> {
    const stream = (await this.streams()).find((candidate) => candidate.for === what)
    if (stream === undefined) throw new Error(`the lab offers no stream for ${what}`)
    return await TopicPeer.join(stream.url, stream.token)
  }

  /** The process below the lab whose command line fits; undefined while there is none. */
  async part(commandLine: RegExp): Promise<number | undefined> {
    const tree = await processTree(this.pid)
    return tree.find((entry) => commandLine.test(entry.commandLine))?.pid
  }

  /** Ctrl-C, and the wait for the end of it; gives the exit code. */
  async interrupt(): Promise<number | null> {
    process.kill(this.pid, 'SIGINT')
    return (await this.#process.ended).code
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.isAlive) await this.#process.stop(15_000)
  }
}
