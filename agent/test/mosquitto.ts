import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from './eventually.ts'

export interface MosquittoOptions {
  /** Lines for its configuration file. */
  readonly lines?: readonly string[]
  /** Other files of its folder, by name. */
  readonly files?: Readonly<Record<string, string>>
}

/** Below what Linux gives to outgoing connections, so that none of those can take one from us. */
const firstPort = 15_000
const lastPort = 32_000

/** A real mosquitto of Debian in a folder of its own, which can be killed and started again in the same place. */
export class Mosquitto implements AsyncDisposable {
  readonly directory: string
  port = 0
  readonly #lines: readonly string[]
  #child: ChildProcess | undefined
  output = ''

  private constructor({ lines = ['allow_anonymous true'], files = {} }: MosquittoOptions) {
    this.directory = mkdtempSync(join(tmpdir(), 'mosquitto-'))
    mkdirSync(join(this.directory, 'data'))
    for (const [name, text] of Object.entries(files)) writeFileSync(this.file(name), text)
    this.#lines = lines.map((line) => line.replaceAll('DIR', this.directory))
  }

  static async start(options: MosquittoOptions = {}): Promise<Mosquitto> {
    const broker = new Mosquitto(options)
    for (let tries = 0; ; tries++) {
      broker.port = firstPort + Math.floor(Math.random() * (lastPort - firstPort))
      if (await broker.#tryStart()) return broker
      if (tries > 20) throw new Error(`mosquitto does not start: ${broker.output}`)
    }
  }

  file(name: string): string {
    return join(this.directory, name)
  }

  /** Starts it again after `kill`. */
  async restart(): Promise<void> {
    for (let tries = 0; !(await this.#tryStart()); tries++)
      if (tries > 20) throw new Error(`mosquitto does not start again: ${this.output}`)
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill(signal)
    child.kill('SIGCONT')
    await gone
  }

  /** Answers nothing any more, with its connections open. */
  freeze(): void {
    this.#child?.kill('SIGSTOP')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    rmSync(this.directory, { recursive: true, force: true })
  }

  async #tryStart(): Promise<boolean> {
    const config = this.file('mosquitto.conf')
    writeFileSync(
      config,
      // As root it would become another user, who may not read the folder.
      `${['user root', `listener ${this.port} 127.0.0.1`, ...this.#lines].join('\n')}\n`,
    )
    const child = spawn('mosquitto', ['-c', config], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        this.output = (this.output + chunk.toString()).slice(-20_000)
      })
    const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null
    let isOpen = false
    await eventually(() => {
      if (!isOpen)
        void canConnect(this.port).then((can) => {
          isOpen ||= can
        })
      return isOpen || hasEnded()
    })
    return isOpen && !hasEnded()
  }
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
