import type { Clock } from '@relay/common/clock'
import { AppError } from '@relay/common/errors'
import type { Message } from '../feeds/feed-hub.ts'
import { LiveGate } from './live-gate.ts'
import { PingClock } from './ping-clock.ts'
import type { RelayLink } from './relay-link.ts'

export interface SessionOptions {
  /** Bytes in this process for one link; above, live messages are dropped and others wait. */
  readonly maxBufferedBytes: number
  /** The relay being further behind than this: live messages are dropped until it has caught up. */
  readonly maxLagMs: number
}

export interface SessionDeps {
  readonly clock: Clock
  /** The relay shows life for the first time. */
  readonly onConfirmed: () => void
}

/** An idle link is asked for a sign of life so often; proxies cut what is silent for a minute. */
const pingEveryMs = 20_000
/** While live messages flow, pings measure how far behind the relay is. */
const lagPingEveryMs = 250
const pongWithinMs = 10_000
const tickMs = 1_000

/**
 * One open link from its first to its last byte: whether it is alive, how far behind the relay is, and what may go out.
 *
 * Invariants: nothing is sent before the relay showed life (an old relay lets in whom it refuses and then stays mute,
 * spec session 6.6) or after either side began to close; a relay that is silent for longer than a ping and its deadline
 * is given up, by the monotonic clock.
 */
export class LinkSession {
  readonly #link: RelayLink
  readonly #options: SessionOptions
  readonly #deps: SessionDeps
  readonly #gate: LiveGate
  readonly #pings = new PingClock()
  #isConfirmed = false
  #lastPingAtMs: number
  #lastByteAtMs: number

  constructor(link: RelayLink, options: SessionOptions, deps: SessionDeps) {
    this.#link = link
    this.#options = options
    this.#deps = deps
    this.#gate = new LiveGate(options)
    this.#lastPingAtMs = deps.clock.monotonicMs()
    this.#lastByteAtMs = this.#lastPingAtMs
    this.#ping(this.#lastPingAtMs)
  }

  /** Messages may be sent. */
  get isUsable(): boolean {
    return this.#isConfirmed && this.#link.isOpen
  }

  /** Undefined before the first pong. */
  get roundTripMs(): number | undefined {
    return this.#pings.lastRoundTripMs
  }

  /** Sends a live message, or says that the link is too slow for it now. */
  sendLive(message: Message): boolean {
    const nowMs = this.#deps.clock.monotonicMs()
    const isAdmitted = this.#gate.admits(message.data, {
      bufferedBytes: this.#link.bufferedBytes,
      lagMs: this.#pings.lagMs(nowMs),
      bestRoundTripMs: this.#pings.bestRoundTripMs,
      nowMs,
    })
    if (!isAdmitted) return false
    this.#link.send(message)
    if (nowMs - this.#lastPingAtMs >= lagPingEveryMs) this.#ping(nowMs)
    return true
  }

  /** There is room for a message that must not be dropped. */
  get hasRoom(): boolean {
    return this.#link.bufferedBytes <= this.#options.maxBufferedBytes
  }

  send(message: Message): void {
    this.#link.send(message)
  }

  /** A message of the relay has come. */
  heard(): void {
    this.#lastByteAtMs = this.#deps.clock.monotonicMs()
    this.#confirm()
  }

  heardPong(payload: Buffer): void {
    this.#pings.pong(payload, this.#deps.clock.monotonicMs())
    this.heard()
  }

  /** Pings, calls `onTick` each second, and gives the fault when the relay is silent; undefined when `signal` aborts. */
  async watch(onTick: () => void, signal: AbortSignal): Promise<AppError | undefined> {
    const { clock } = this.#deps
    let tickedAtMs = clock.monotonicMs()
    for (;;) {
      await clock.sleep(tickMs, signal)
      if (signal.aborted) return undefined
      const nowMs = clock.monotonicMs()
      // This process itself stood still: what the relay said meanwhile is read only after this turn.
      const wasAsleep = nowMs - tickedAtMs > 3 * tickMs
      tickedAtMs = nowMs
      if (wasAsleep) continue
      if (Math.min(this.#pings.lagMs(nowMs), nowMs - this.#lastByteAtMs) > pongWithinMs)
        return this.#silence()
      if (nowMs - this.#lastPingAtMs >= pingEveryMs) this.#ping(nowMs)
      onTick()
    }
  }

  #silence(): AppError {
    return this.#isConfirmed
      ? new AppError('RELAY_SILENT', `the relay did not answer for ${pongWithinMs / 1000} s`)
      : new AppError('RELAY_MUTE', 'the relay let us in and then stayed mute: it refused the one-time code')
  }

  #confirm(): void {
    if (this.#isConfirmed) return
    this.#isConfirmed = true
    this.#deps.onConfirmed()
  }

  #ping(nowMs: number): void {
    this.#lastPingAtMs = nowMs
    this.#link.ping(this.#pings.ping(nowMs))
  }
}
