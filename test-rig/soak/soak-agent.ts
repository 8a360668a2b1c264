import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { childEnvironment } from '../src/lab/child-environment.ts'
import { OwnedProcess } from '../src/lab/owned-process.ts'
import type { SoakBroker } from './soak-broker.ts'
import type { SoakRelay } from './soak-relay.ts'

export const topics = { video: 'soak-video', data: 'soak-data', mqtt: 'soak-mqtt' } as const
export const brokerTopic = 'soak/1/reading'

const kilobitsPerSecond = 1000
/** Short, so that a frozen broker is given up within the time that it is frozen. */
const keepAlive = '5s'
const stopWithinMs = 10_000

/** The agent as it is shipped, with a camera, an instrument at a cable and one behind a broker. */
export class SoakAgent implements AsyncDisposable {
  readonly #process: OwnedProcess

  private constructor(process: OwnedProcess) {
    this.#process = process
  }

  static async start(options: {
    readonly program: string
    readonly folder: string
    readonly relay: SoakRelay
    readonly broker: SoakBroker
    readonly cablePath: string
  }): Promise<SoakAgent> {
    const { program, relay, broker, cablePath } = options
    const folder = join(options.folder, 'agent')
    await mkdir(folder, { mode: 0o700 })
    for (const [feed, topic] of Object.entries(topics))
      await writeFile(join(folder, `${feed}.token`), await relay.token(topic, ['read', 'write']), {
        mode: 0o600,
      })
    const config = join(folder, 'agent.yaml')
    await writeFile(config, stringify(configOf(relay, broker, cablePath)))
    return new SoakAgent(
      await OwnedProcess.start({
        name: 'agent',
        command: process.execPath,
        args: [program, 'run', '--config', config],
        env: childEnvironment(process.env, { RELAY_AGENT_STATUS_SOCKET: join(folder, 'status.sock') }),
      }),
    )
  }

  get pid(): number {
    return this.#process.pid
  }

  /** Resolves with how it ended; it must not. */
  async ended(): Promise<string> {
    const { code, signal } = await this.#process.ended
    return `the agent ended (${signal ?? `exit code ${String(code)}`}): ${this.#process.lastLines.slice(-3).join(' | ')}`
  }

  /** The ffmpeg that it runs; undefined while it runs none. */
  async encoder(): Promise<number | undefined> {
    for (const thread of await readdir(`/proc/${this.pid}/task`)) {
      // A thread, or a child, may end while we look.
      const children = await readFile(`/proc/${this.pid}/task/${thread}/children`, 'utf8').catch(() => '')
      for (const child of children.split(' ').filter((word) => word !== '')) {
        const name = await readFile(`/proc/${child}/comm`, 'utf8').catch(() => '')
        if (name.trim() === 'ffmpeg') return Number(child)
      }
    }
    return undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop(stopWithinMs)
  }
}

function configOf(relay: SoakRelay, broker: SoakBroker, cablePath: string): object {
  return {
    name: 'soak',
    relay: { access: relay.access },
    localApi: { port: 0 },
    cameras: [{ name: 'camera', feed: 'video', preset: 'test-pattern', kilobitsPerSecond }],
    instruments: [{ name: 'instrument', feed: 'data', device: cablePath }],
    mqttInstruments: [
      {
        name: 'board',
        feed: 'mqtt',
        broker: `mqtt://127.0.0.1:${broker.port}`,
        keepAlive,
        subscriptions: [{ filter: brokerTopic, template: '${payload}' }],
      },
    ],
    topics: Object.entries(topics).map(([feed, topic]) => ({ topic, feed, tokenFile: `${feed}.token` })),
  }
}
