import { randomUUID } from 'node:crypto'
import { signToken } from '@relay/common/token/sign-token'
import { ChildProgram } from '../golden/child-program.ts'
import { FreePorts } from '../golden/free-ports.ts'
import { ownCommands } from '../golden/program-commands.ts'
import { TopicPeer } from './topic-peer.ts'

export interface Grant {
  readonly scopes?: readonly string[]
  readonly lifetimeSec?: number
  readonly bookingId?: string
}

const startWithinMs = 20_000

/** A real `relay serve` as a child process on free ports, which can be killed and started again in the same place. */
export class RelayUnderTest implements AsyncDisposable {
  readonly access: string
  readonly target: string
  readonly secret = randomUUID() + randomUUID()
  /** Where its Prometheus metrics are. */
  readonly metrics: string
  readonly #ports: readonly [access: number, relay: number, metrics: number]
  readonly #env: Readonly<Record<string, string>>
  readonly #onOutput: (text: string) => void
  #program: ChildProgram | undefined

  private constructor(
    ports: readonly [number, number, number],
    env: Readonly<Record<string, string>>,
    onOutput: (text: string) => void,
  ) {
    this.#ports = ports
    this.#env = env
    this.#onOutput = onOutput
    this.access = `http://127.0.0.1:${ports[0]}`
    this.target = `ws://127.0.0.1:${ports[1]}`
    this.metrics = `http://127.0.0.1:${ports[2]}/metrics`
  }

  /** @param onOutput gets everything that the process writes. */
  static async start(
    env: Readonly<Record<string, string>> = {},
    onOutput: (text: string) => void = () => undefined,
  ): Promise<RelayUnderTest> {
    const ports = new FreePorts()
    const relay = new RelayUnderTest(
      [await ports.next(), await ports.next(), await ports.next()],
      env,
      onOutput,
    )
    await relay.start()
    return relay
  }

  /** The running process. */
  get program(): ChildProgram {
    if (this.#program === undefined) throw new Error('the relay does not run')
    return this.#program
  }

  async start(): Promise<void> {
    const environment = {
      RELAY_AUDIENCE: this.access,
      RELAY_URL: this.target,
      RELAY_SECRET: this.secret,
      RELAY_PORT_ACCESS: String(this.#ports[0]),
      RELAY_PORT_RELAY: String(this.#ports[1]),
      RELAY_METRICS_PORT: String(this.#ports[2]),
      RELAY_LOG_FILE: 'stdout',
      ...this.#env,
    }
    this.#program = new ChildProgram(ownCommands('v0.9.3', 'relay'), environment, this.#onOutput)
    await this.#program.whenListening(this.#ports, startWithinMs)
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    this.program.signal('SIGKILL')
    await this.program.whenExited(5_000)
  }

  /** The access address of a topic. */
  topic(topic: string): string {
    return `${this.access}/session/${topic}`
  }

  async token(
    topic: string,
    { scopes = ['read', 'write'], lifetimeSec = 600, bookingId = 'rig' }: Grant = {},
  ) {
    const nowSec = Math.floor(Date.now() / 1000)
    return await signToken(
      {
        booking_id: bookingId,
        topic,
        prefix: 'session',
        scopes,
        aud: [this.access],
        exp: nowSec + lifetimeSec,
        nbf: nowSec - 1,
        iat: nowSec - 1,
      },
      new TextEncoder().encode(this.secret),
    )
  }

  async join(topic: string, grant: Grant = {}): Promise<TopicPeer> {
    return await TopicPeer.join(this.topic(topic), await this.token(topic, grant))
  }

  /** Asks the admin API (`relay:admin`, `relay:stats`) and gives the answer. */
  async admin(method: 'GET' | 'POST', path: string): Promise<Response> {
    const token = await this.token('', { scopes: ['relay:admin', 'relay:stats'] })
    return await fetch(`${this.access}${path}`, { method, headers: { authorization: token } })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program?.stop()
  }
}
