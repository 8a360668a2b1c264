import { createHmac } from 'node:crypto'
import { type Clock, systemClock } from '@relay/common/clock'
import { FakeClock } from '@relay/common/fake-clock'
import { silentLog } from '@relay/common/log'
import { type Generation, loadShellRelayConfig } from '../../src/relay/config.ts'
import { ShellRelay, type ShellRelayPorts } from '../../src/relay/shell-relay.ts'

export const audience = 'https://access.example.io'
export const secret = 'a-secret-that-is-long-enough-for-tests'

type Claims = Readonly<Record<string, unknown>>

/** Claims that are right for a host of an id; `more` replaces some, `undefined` leaves one out. */
export function claimsFor(id: string, more: Claims = {}): Claims {
  const nowSec = Math.floor(Date.now() / 1000)
  return {
    topic: id,
    prefix: 'shell',
    scopes: ['host'],
    aud: [audience],
    // A minute back: where a test stops the relay's clock, ours goes on meanwhile.
    iat: nowSec - 60,
    nbf: nowSec - 60,
    exp: nowSec + 600,
    ...more,
  }
}

/** Signs any claims, right or wrong, with HS256. */
export function mint(claims: Claims, withSecret = secret): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`
  return `${signed}.${createHmac('sha256', withSecret).update(signed).digest('base64url')}`
}

/** A token of an administrator. */
export function adminToken(...scopes: readonly string[]): string {
  return mint(claimsFor('', { topic: undefined, prefix: undefined, scopes }))
}

export interface RunningShellRelayOptions {
  readonly generation?: Generation
  /** Settings in the words of the environment, without `SHELLRELAY_`. */
  readonly settings?: Readonly<Record<string, string>>
  readonly clock?: Clock
}

/** A shell relay in this process on free ports, and what an end needs to meet it. Use it with `await using`. */
export class RunningShellRelay implements AsyncDisposable {
  readonly relay: ShellRelay
  readonly ports: ShellRelayPorts
  readonly #clock: Clock

  private constructor(relay: ShellRelay, ports: ShellRelayPorts, clock: Clock) {
    this.relay = relay
    this.ports = ports
    this.#clock = clock
  }

  static async start(options: RunningShellRelayOptions = {}): Promise<RunningShellRelay> {
    const { generation = 'jump', settings = {}, clock = systemClock } = options
    const defaults = {
      AUDIENCE: audience,
      URL: 'ws://relay.invalid',
      SECRET: secret,
      ACCESS_PORT: '0',
      RELAY_PORT: '0',
      METRICS_PORT: '0',
      ACCESS_HOST: '127.0.0.1',
      RELAY_HOST: '127.0.0.1',
    }
    const environment = Object.fromEntries(
      Object.entries({ ...defaults, ...settings }).map(([name, value]) => [`SHELLRELAY_${name}`, value]),
    )
    const config = loadShellRelayConfig(generation, { environment })
    const relay = await ShellRelay.create(config, { clock, log: silentLog() })
    return new RunningShellRelay(relay, await relay.start(), clock)
  }

  get access(): string {
    return `http://127.0.0.1:${this.ports.access}`
  }

  /** POSTs a token for an id, on the path of either generation. */
  async post(id: string, token: string, path = '/shell'): Promise<Response> {
    return await fetch(`${this.access}${path}/${encodeURIComponent(id)}`, {
      method: 'POST',
      headers: { authorization: token },
    })
  }

  /** A one-time address, on the port where the relay really listens. */
  async address(id: string, more: Claims = {}): Promise<string> {
    const response = await this.post(id, mint(claimsFor(id, more)))
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
    const { uri } = (await response.json()) as { uri: string }
    return this.reachable(uri)
  }

  /** An address as the relay gave it, on the port where it really listens. */
  reachable(uri: string): string {
    return uri.replace('ws://relay.invalid', `ws://127.0.0.1:${this.ports.relay}`)
  }

  /** Asks as an administrator, or with any token. */
  async ask(method: string, path: string, token: string): Promise<Response> {
    return await fetch(`${this.access}${path}`, { method, headers: { authorization: token } })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const stopped = this.relay.stop()
    if (this.#clock instanceof FakeClock) await moveUntil(this.#clock, stopped)
    await stopped
  }
}

async function moveUntil(clock: FakeClock, done: Promise<void>): Promise<void> {
  const moved = new AbortController()
  void done.finally(() => moved.abort())
  while (!moved.signal.aborted) await clock.advance(100)
}
