import { type Clock, systemClock } from '@relay/common/clock'
import { FakeClock } from '@relay/common/fake-clock'
import { type Log, silentLog } from '@relay/common/log'
import { type Generation, loadRelayConfig } from '../../src/config.ts'
import { Relay, type RelayPorts } from '../../src/relay.ts'
import { audience, claimsFor, mint, secret } from './tokens.ts'
import { Viewer } from './viewer.ts'

export interface RunningRelayOptions {
  readonly generation?: Generation
  /** Settings in the words of the environment, without `RELAY_`. */
  readonly settings?: Readonly<Record<string, string>>
  readonly clock?: Clock
  readonly log?: Log
}

/** A relay in this process on free ports, and what a client needs to meet it. Use it with `await using`. */
export class RunningRelay implements AsyncDisposable {
  readonly relay: Relay
  readonly ports: RelayPorts
  readonly #clock: Clock
  readonly #viewers: Viewer[] = []

  private constructor(relay: Relay, ports: RelayPorts, clock: Clock) {
    this.relay = relay
    this.ports = ports
    this.#clock = clock
  }

  static async start(options: RunningRelayOptions = {}): Promise<RunningRelay> {
    const { generation = '0.9.3', settings = {}, clock = systemClock, log = silentLog() } = options
    const defaults = {
      AUDIENCE: audience,
      URL: 'ws://relay.invalid',
      SECRET: secret,
      PORT_ACCESS: '0',
      PORT_RELAY: '0',
      METRICS_PORT: '0',
      ACCESS_HOST: '127.0.0.1',
      RELAY_HOST: '127.0.0.1',
      ALLOW_NO_BOOKING_ID: 'true',
    }
    const environment = Object.fromEntries(
      Object.entries({ ...defaults, ...settings }).map(([name, value]) => [`RELAY_${name}`, value]),
    )
    const relay = await Relay.create(loadRelayConfig(generation, { environment }), { clock, log })
    return new RunningRelay(relay, await relay.start(), clock)
  }

  get access(): string {
    return `http://127.0.0.1:${this.ports.access}`
  }

  /** POSTs a token for a topic. */
  async post(topic: string, token: string, init: RequestInit = {}): Promise<Response> {
    return await fetch(`${this.access}/session/${encodeURIComponent(topic)}`, {
      method: 'POST',
      ...init,
      headers: { authorization: token, ...(init.headers as Record<string, string> | undefined) },
    })
  }

  /** A one-time address, on the port where the relay really listens. */
  async address(topic: string, more: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const response = await this.post(topic, mint(claimsFor(topic, more)))
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
    const { uri } = (await response.json()) as { uri: string }
    return uri.replace('ws://relay.invalid', `ws://127.0.0.1:${this.ports.relay}`)
  }

  /** Joins a topic; the viewer is cut off with the relay. */
  async join(topic: string, more: Readonly<Record<string, unknown>> = {}): Promise<Viewer> {
    const viewer = await Viewer.dial(await this.address(topic, more))
    this.#viewers.push(viewer)
    return viewer
  }

  /** Asks as an administrator. */
  async ask(method: string, path: string, token: string): Promise<Response> {
    return await fetch(`${this.access}${path}`, { method, headers: { authorization: token } })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const viewer of this.#viewers) viewer.terminate()
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
