import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UnavailableError } from '@relay/common/errors'
import { takesConnections } from '../src/golden/child-program.ts'
import { freePorts } from '../src/lab/free-port.ts'
import { OwnedProcess } from '../src/lab/owned-process.ts'
import { until } from '../src/rig/until.ts'

const host = '127.0.0.1'
const startWithinMs = 30_000

/** Debian's mosquitto on a fixed port. */
export class SoakBroker implements AsyncDisposable {
  readonly port: number
  readonly #config: string
  #process: OwnedProcess | undefined

  private constructor(port: number, config: string) {
    this.port = port
    this.#config = config
  }

  /** Starts it. @throws {UnavailableError} `BROKER_FAILED`. */
  static async start(folder: string): Promise<SoakBroker> {
    const [port = 0] = await freePorts(1, host, Math.random)
    const config = join(folder, 'mosquitto.conf')
    // As root it would become another user, who may not read the folder.
    await writeFile(config, `user root\nlistener ${port} ${host}\nallow_anonymous true\n`)
    const broker = new SoakBroker(port, config)
    await broker.start()
    return broker
  }

  async start(): Promise<void> {
    const owned = await OwnedProcess.start({
      name: 'mosquitto',
      command: 'mosquitto',
      args: ['-c', this.#config],
    })
    this.#process = owned
    try {
      await until('the broker', async () => !owned.isAlive || (await takesConnections(this.port)), {
        withinMs: startWithinMs,
      })
    } catch {
      await owned.kill()
    }
    if (!owned.isAlive)
      throw new UnavailableError('BROKER_FAILED', `mosquitto does not start: ${owned.lastLines.join(' ')}`)
  }

  async kill(): Promise<void> {
    await this.#process?.kill()
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    if (this.#process?.isAlive === true) process.kill(this.#process.pid, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal('SIGCONT')
    await this.kill()
  }
}
