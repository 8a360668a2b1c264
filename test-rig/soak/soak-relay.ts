import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UnavailableError } from '@relay/common/errors'
import { exchangeToken } from '@relay/common/exchange-token'
import { childEnvironment } from '../src/lab/child-environment.ts'
import { freePorts } from '../src/lab/free-port.ts'
import { LabTokens } from '../src/lab/lab-tokens.ts'
import { OwnedProcess } from '../src/lab/owned-process.ts'
import { untilAnswers } from '../src/lab/until-answers.ts'
import type { LinkForwarder } from './link-forwarder.ts'

const host = '127.0.0.1'
const readyWithinMs = 60_000
const stopWithinMs = 20_000
const exchangeTimeoutMs = 5_000

/** A relay on fixed ports, behind a forwarder for the agent, beside it for viewers. */
export class SoakRelay implements AsyncDisposable {
  /** Where the agent asks: through the forwarder. */
  readonly access: string
  readonly #tokens: LabTokens
  readonly #environment: Readonly<Record<string, string>>
  readonly #ports: { readonly access: number; readonly relay: number }
  readonly #program: string
  readonly #tokenLifetimeSec: number
  #process: OwnedProcess | undefined

  private constructor(
    program: string,
    options: {
      readonly access: string
      readonly environment: Readonly<Record<string, string>>
      readonly tokens: LabTokens
      readonly ports: { readonly access: number; readonly relay: number }
      readonly tokenLifetimeSec: number
    },
  ) {
    this.#program = program
    this.access = options.access
    this.#environment = options.environment
    this.#tokens = options.tokens
    this.#ports = options.ports
    this.#tokenLifetimeSec = options.tokenLifetimeSec
  }

  /** Starts it. @throws {UnavailableError} `RELAY_FAILED`. */
  static async start(options: {
    readonly program: string
    readonly folder: string
    readonly forwarder: LinkForwarder
    readonly tokenLifetimeSec: number
  }): Promise<SoakRelay> {
    const { folder, forwarder, program, tokenLifetimeSec } = options
    const secret = randomBytes(32).toString('hex')
    await writeFile(join(folder, 'secret'), secret, { mode: 0o600 })
    const [accessPort = 0, relayPort = 0] = await freePorts(2, host, Math.random)
    const access = `http://${host}:${await forwarder.forward(accessPort)}`
    const environment = {
      RELAY_AUDIENCE: access,
      // The one-time addresses lead through the forwarder; viewers take the short way (see `viewerAddress`).
      RELAY_URL: `ws://${host}:${await forwarder.forward(relayPort)}`,
      RELAY_SECRET_FILES: join(folder, 'secret'),
      RELAY_PORT_ACCESS: String(accessPort),
      RELAY_PORT_RELAY: String(relayPort),
      RELAY_ACCESS_HOST: host,
      RELAY_RELAY_HOST: host,
      RELAY_METRICS_PORT: '0',
    }
    const relay = new SoakRelay(program, {
      access,
      environment,
      tokens: new LabTokens(access, secret),
      ports: { access: accessPort, relay: relayPort },
      tokenLifetimeSec,
    })
    await relay.start()
    return relay
  }

  /** Undefined while it is down. */
  get pid(): number | undefined {
    return this.#process?.isAlive === true ? this.#process.pid : undefined
  }

  /** Resolves when it takes connections. */
  async start(): Promise<void> {
    const owned = await OwnedProcess.start({
      name: 'relay',
      command: process.execPath,
      args: [this.#program, 'serve'],
      env: childEnvironment(process.env, this.#environment),
    })
    this.#process = owned
    const late = AbortSignal.timeout(readyWithinMs)
    const ready = untilAnswers(`http://${host}:${this.#ports.access}/readyz`, late)
    const hasEnded = await Promise.race([ready.then(() => false), owned.ended.then(() => true)])
    if (hasEnded || late.aborted)
      throw new UnavailableError('RELAY_FAILED', `the relay does not start: ${owned.lastLines.join(' ')}`)
  }

  async kill(): Promise<void> {
    await this.#process?.kill()
  }

  /** SIGTERM, and the wait until it has drained. */
  async stop(): Promise<void> {
    await this.#process?.stop(stopWithinMs)
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    if (this.pid !== undefined) process.kill(this.pid, signal)
  }

  async token(topic: string, scopes: readonly string[]): Promise<string> {
    return await this.#tokens.mint({ topic, scopes, lifetimeSec: this.#tokenLifetimeSec }, Date.now())
  }

  /** A one-time address of a topic, not through the forwarder. */
  async viewerAddress(topic: string, scopes: readonly string[], signal: AbortSignal): Promise<string> {
    const address = new URL(
      await exchangeToken({
        access: `http://${host}:${this.#ports.access}/session/${topic}`,
        token: await this.token(topic, scopes),
        timeoutMs: exchangeTimeoutMs,
        signal,
      }),
    )
    address.port = String(this.#ports.relay)
    return address.href
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal('SIGCONT')
    await this.kill()
  }
}
