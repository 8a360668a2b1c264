import type { Clock } from '@relay/common/clock'
import { AppError } from '@relay/common/errors'
import { AccessRefusedError, exchangeToken } from '@relay/common/exchange-token'
import { keepConnected, RetryLaterError, type RetryPolicy } from '@relay/common/keep-connected'
import type { Log } from '@relay/common/log'
import type { Environment } from '@relay/common/proxy'
import { DropReport } from '../drop-report.ts'
import { type Fault, faultOf } from '../fault.ts'
import type { FeedHub, Member, Message } from '../feeds/feed-hub.ts'
import { parseDestination, shownUrl } from './destination.ts'
import { type LinkEvent, type LinkRecord, newLink, nextLinkState } from './link-state.ts'
import { LiveGate } from './live-gate.ts'
import { Outbox } from './outbox.ts'
import { PingClock } from './ping-clock.ts'
import { type DialRelay, dialRelay, type RelayLink } from './relay-link.ts'
import type { TokenSource } from './token-source.ts'

/** `auto`: binary messages are live, text waits. */
export type Delivery = 'auto' | 'live' | 'queued'

/** Gets a copy of everything that goes out. */
export interface Recorder {
  write(data: Buffer): void
  close(): Promise<void>
}

export interface UplinkLimits {
  /** Bytes in this process for one link; above, live messages are dropped and others wait. */
  readonly maxBufferedBytes: number
  /** The relay being further behind than this: live messages are dropped until it has caught up. */
  readonly maxLagMs: number
  readonly queueBytes: number
  readonly queueAgeMs: number
}

export interface UplinkOptions {
  /** Id of the rule or name of the topic: how people know it. */
  readonly id: string
  /** Feed or stream whose messages go out, and where those that come in are published. */
  readonly feed: string
  /** As the rule says it; also our name in the hub (spec session 7.3). */
  readonly destination: string
  /** Undefined: the destination is dialled without one. */
  readonly token: TokenSource | undefined
  readonly delivery: Delivery
  readonly limits: UplinkLimits
  readonly recorder: Recorder | undefined
}

export interface UplinkDeps {
  readonly hub: FeedHub
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  /** Of the process, for its proxy. */
  readonly environment: Environment
  readonly dial?: DialRelay
  readonly exchange?: typeof exchangeToken
}

export interface UplinkStatus extends LinkRecord {
  readonly id: string
  readonly feed: string
  /** Without query, user and password. */
  readonly destination: string
  readonly sentMessages: number
  readonly sentBytes: number
  readonly receivedMessages: number
  readonly receivedBytes: number
  readonly droppedLiveMessages: number
  readonly droppedQueuedMessages: number
  readonly queuedMessages: number
  readonly queuedBytes: number
  readonly roundTripMs: number | undefined
}

/** Spec session 7.6 waits 1, 2, 4, 8, 10 s; ours are as long on average, and no two devices wait alike. */
const retryPolicy: RetryPolicy = {
  minMs: 1_000,
  maxMs: 10_000,
  stableAfterMs: 5_000,
  stableFrom: 'established',
}
const exchangeTimeoutMs = 10_000
const handshakeTimeoutMs = 15_000
/** A refused token is tried a few times at the usual pace, as the server may be the one that is wrong, then rarely. */
const usualRefusals = 2
const refusedPauseMs = 30_000
/** An idle link is asked for a sign of life so often; proxies cut what is silent for a minute. */
const pingEveryMs = 20_000
/** While live messages flow, pings measure how far behind the relay is. */
const lagPingEveryMs = 250
const pongWithinMs = 10_000
const tickMs = 1_000

/**
 * One connection to a relay that is kept for ever: exchange the token, dial, carry messages both ways.
 *
 * Invariants: at most one connection; it counts as live only after the relay showed life (an old relay lets in whom it
 * refuses and stays mute, spec session 6.6); a relay that is silent for longer than a ping and its deadline is given
 * up; live messages never wait while the link is down and are never sent late; other messages wait within bytes and
 * age and go out in order; a token that changed is used at once; when `run` has resolved everything is released.
 */
export class Uplink implements Member {
  readonly name: string
  readonly #options: UplinkOptions
  readonly #deps: UplinkDeps
  readonly #outbox: Outbox
  readonly #drops: DropReport
  #record: LinkRecord = newLink
  #link: RelayLink | undefined
  #isConfirmed = false
  #onConfirmed: () => void = () => undefined
  #gate: LiveGate
  #pings = new PingClock()
  #lastPingAtMs = 0
  #lastByteAtMs = 0
  #lastToken: string | undefined
  #refusals = 0
  #sentMessages = 0
  #sentBytes = 0
  #receivedMessages = 0
  #receivedBytes = 0
  #droppedLive = 0
  #reportedQueueDrops = 0

  constructor(options: UplinkOptions, deps: UplinkDeps) {
    this.name = options.destination
    this.#options = options
    this.#deps = deps
    this.#outbox = new Outbox({ maxBytes: options.limits.queueBytes, maxAgeMs: options.limits.queueAgeMs })
    this.#gate = new LiveGate(options.limits)
    this.#drops = new DropReport({ uplink: options.id }, deps)
  }

  /** Keeps the link until `signal` aborts. Never rejects for a fault of the other end. */
  async run(signal: AbortSignal): Promise<void> {
    const { hub, log } = this.#deps
    const { id, feed, destination } = this.#options
    const leave = hub.join(feed, this)
    log.info({ uplink: id, feed, destination: shownUrl(destination) }, 'uplink started')
    try {
      while (!signal.aborted) await this.#runWithToken(signal)
    } finally {
      leave()
      this.#drops.stop()
      this.#dispatch({ kind: 'stopped' })
      await this.#options.recorder?.close()
      log.info({ uplink: id }, 'uplink stopped')
    }
  }

  status(): UplinkStatus {
    const { id, feed, destination } = this.#options
    return {
      ...this.#record,
      id,
      feed,
      destination: shownUrl(destination),
      sentMessages: this.#sentMessages,
      sentBytes: this.#sentBytes,
      receivedMessages: this.#receivedMessages,
      receivedBytes: this.#receivedBytes,
      droppedLiveMessages: this.#droppedLive,
      droppedQueuedMessages: this.#outbox.dropped,
      queuedMessages: this.#outbox.size,
      queuedBytes: this.#outbox.bytes,
      roundTripMs: this.#pings.lastRoundTripMs,
    }
  }

  /** A message of the feed, for the relay. */
  deliver(message: Message): void {
    this.#options.recorder?.write(message.data)
    if (this.#isLive(message)) this.#deliverLive(message)
    else this.#deliverQueued(message)
  }

  #isLive({ binary }: Message): boolean {
    const { delivery } = this.#options
    return delivery === 'auto' ? binary : delivery === 'live'
  }

  #deliverLive(message: Message): void {
    const link = this.#usableLink()
    const nowMs = this.#deps.clock.monotonicMs()
    const canGo =
      link !== undefined &&
      this.#gate.admits(message.data, {
        bufferedBytes: link.bufferedBytes,
        lagMs: this.#pings.lagMs(nowMs),
        bestRoundTripMs: this.#pings.bestRoundTripMs,
        nowMs,
      })
    if (!canGo) {
      this.#droppedLive += 1
      this.#drops.count(link === undefined ? 'live, no link' : 'live, slow link')
      return
    }
    this.#send(link, message)
    if (nowMs - this.#lastPingAtMs >= lagPingEveryMs) this.#ping(link, nowMs)
  }

  #deliverQueued(message: Message): void {
    const nowMs = this.#deps.clock.monotonicMs()
    this.#outbox.add(message, nowMs)
    this.#pump(nowMs)
  }

  /** Sends what waits, as far as the link takes it. */
  #pump(nowMs: number): void {
    this.#outbox.expire(nowMs)
    while (this.#outbox.size > 0) {
      const link = this.#usableLink()
      if (link === undefined || link.bufferedBytes > this.#options.limits.maxBufferedBytes) break
      const message = this.#outbox.take(nowMs)
      if (message !== undefined) this.#send(link, message)
    }
    while (this.#reportedQueueDrops < this.#outbox.dropped) {
      this.#reportedQueueDrops += 1
      this.#drops.count('queued')
    }
  }

  #usableLink(): RelayLink | undefined {
    return this.#isConfirmed && this.#link?.isOpen === true ? this.#link : undefined
  }

  #send(link: RelayLink, message: Message): void {
    link.send(message)
    this.#sentMessages += 1
    this.#sentBytes += message.data.length
  }

  #ping(link: RelayLink, nowMs: number): void {
    this.#lastPingAtMs = nowMs
    link.ping(this.#pings.ping(nowMs))
  }

  /** Runs until stopped or until there is a new token. */
  async #runWithToken(signal: AbortSignal): Promise<void> {
    const { clock, random, log } = this.#deps
    const { id, token } = this.#options
    const round = new AbortController()
    const either = AbortSignal.any([signal, round.signal])
    this.#refusals = 0
    const watching = this.#watchToken(token, round, either)
    try {
      await keepConnected(
        (inner, established) => this.#connectOnce(inner, established),
        retryPolicy,
        {
          clock,
          random,
          onRetry: ({ attempt, delayMs, error }) => {
            this.#dispatch({ kind: 'retry', atMs: clock.monotonicMs(), delayMs, attempt })
            log.warn({ uplink: id, attempt, delayMs, error }, 'uplink is down, will be tried again')
          },
        },
        either,
      )
    } catch (error) {
      this.#fail(error)
      this.#dispatch({ kind: 'gave-up' })
      log.error({ uplink: id, error }, 'uplink cannot work as it is configured')
      await aborted(either)
    } finally {
      round.abort()
      await watching
    }
  }

  async #watchToken(
    token: TokenSource | undefined,
    round: AbortController,
    signal: AbortSignal,
  ): Promise<void> {
    if (token === undefined) return
    for (;;) {
      const known = this.#lastToken
      await token.whenChanged(known, signal)
      if (signal.aborted) return
      // It may have been read in the meantime by an attempt of its own.
      if (known !== this.#lastToken) continue
      this.#deps.log.info({ uplink: this.#options.id }, 'the token changed, connecting anew')
      round.abort()
      return
    }
  }

  async #connectOnce(signal: AbortSignal, established: () => void): Promise<void> {
    const { clock, dial = dialRelay, environment } = this.#deps
    const closed = Promise.withResolvers<AppError>()
    this.#onConfirmed = established
    try {
      const uri = await this.#address(signal)
      this.#dispatch({ kind: 'step', step: 'dial', atMs: clock.monotonicMs() })
      const link = await dial(
        uri,
        {
          onMessage: (message) => this.#onMessage(message),
          onPong: (payload) => this.#onPong(payload),
          onClosed: (error) => closed.resolve(error),
        },
        { handshakeTimeoutMs, environment },
        signal,
      )
      await this.#serve(link, closed.promise, signal)
    } catch (error) {
      if (!signal.aborted) this.#fail(error)
      throw this.#slowedDown(error)
    }
  }

  /** The address to dial, fresh for each attempt. */
  async #address(signal: AbortSignal): Promise<string> {
    const { clock, exchange = exchangeToken, environment } = this.#deps
    const { token, destination } = this.#options
    const { kind, url } = parseDestination(destination, { hasToken: token !== undefined })
    if (kind === 'direct' || token === undefined) return url
    this.#dispatch({ kind: 'step', step: 'exchange', atMs: clock.monotonicMs() })
    this.#lastToken = await token.read()
    const uri = await exchange({
      access: url,
      token: this.#lastToken,
      timeoutMs: exchangeTimeoutMs,
      signal,
      environment,
    })
    this.#refusals = 0
    return uri
  }

  /** Carries messages until the link is gone (rejects) or `signal` aborts (resolves). */
  async #serve(link: RelayLink, closed: Promise<AppError>, signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps
    const { limits } = this.#options
    const serving = new AbortController()
    const openedAtMs = clock.monotonicMs()
    this.#dispatch({ kind: 'step', step: 'confirm', atMs: openedAtMs })
    this.#pings = new PingClock()
    this.#gate = new LiveGate(limits)
    this.#lastByteAtMs = openedAtMs
    this.#link = link
    this.#ping(link, openedAtMs)
    try {
      const end = await Promise.race([
        closed,
        this.#watchLink(link, serving.signal),
        aborted(AbortSignal.any([signal, serving.signal])),
      ])
      if (end !== undefined) throw end
    } finally {
      serving.abort()
      this.#link = undefined
      this.#isConfirmed = false
      if (signal.aborted) await link.close()
      else link.terminate()
    }
  }

  /** Pings, and gives up a relay that is silent: no byte and no pong of it for too long. */
  async #watchLink(link: RelayLink, signal: AbortSignal): Promise<AppError | undefined> {
    const { clock } = this.#deps
    for (;;) {
      await clock.sleep(tickMs, signal)
      if (signal.aborted) return undefined
      const nowMs = clock.monotonicMs()
      const silentMs = Math.min(this.#pings.lagMs(nowMs), nowMs - this.#lastByteAtMs)
      if (silentMs > pongWithinMs) {
        return this.#isConfirmed
          ? new AppError('RELAY_SILENT', `the relay did not answer for ${pongWithinMs / 1000} s`)
          : new AppError(
              'RELAY_MUTE',
              'the relay let us in and then stayed mute: it refused the one-time code',
            )
      }
      if (nowMs - this.#lastPingAtMs >= pingEveryMs) this.#ping(link, nowMs)
      this.#pump(nowMs)
    }
  }

  #onMessage(message: Message): void {
    this.#lastByteAtMs = this.#deps.clock.monotonicMs()
    this.#receivedMessages += 1
    this.#receivedBytes += message.data.length
    this.#confirm()
    this.#deps.hub.publish(this.#options.feed, message, this)
  }

  #onPong(payload: Buffer): void {
    const nowMs = this.#deps.clock.monotonicMs()
    this.#lastByteAtMs = nowMs
    this.#pings.pong(payload, nowMs)
    this.#confirm()
    this.#pump(nowMs)
  }

  /** The relay shows life: from now on the link is trusted with messages. */
  #confirm(): void {
    if (this.#isConfirmed || this.#link === undefined) return
    this.#isConfirmed = true
    const nowMs = this.#deps.clock.monotonicMs()
    this.#dispatch({ kind: 'confirmed', atMs: nowMs })
    this.#onConfirmed()
    this.#deps.log.info({ uplink: this.#options.id }, 'uplink is live')
    this.#pump(nowMs)
  }

  #dispatch(event: LinkEvent): void {
    const state = nextLinkState(this.#record.state, event)
    const isNewlyLive = state.kind === 'live' && this.#record.state.kind !== 'live'
    this.#record = isNewlyLive
      ? { state, connects: this.#record.connects + 1, failures: 0, fault: undefined }
      : { ...this.#record, state }
  }

  #fail(error: unknown): void {
    const fault: Fault = faultOf(error, this.#deps.clock.nowMs())
    this.#record = { ...this.#record, failures: this.#record.failures + 1, fault }
  }

  /** A token that is refused again and again is tried rarely: a new token ends the wait at once. */
  #slowedDown(error: unknown): unknown {
    if (!(error instanceof AccessRefusedError)) return error
    this.#refusals += 1
    if (this.#refusals <= usualRefusals) return error
    const delayMs = Math.round(refusedPauseMs * (1 + this.#deps.random()))
    return new RetryLaterError(`${error.message}; a new token is needed`, delayMs)
  }
}

/** Resolves when `signal` aborts. */
function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined)
    else signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
}
