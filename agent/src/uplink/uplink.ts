import type { Clock } from '@relay/common/clock'
import type { AppError } from '@relay/common/errors'
import { exchangeToken } from '@relay/common/exchange-token'
import type { RetryPolicy } from '@relay/common/keep-connected'
import { keepConnectedByToken, type TokenAttempt } from '@relay/common/keep-connected-by-token'
import type { Log } from '@relay/common/log'
import type { Environment } from '@relay/common/proxy'
import { Progress } from '@relay/common/progress'
import { DropReport } from '../drop-report.ts'
import { type Fault, faultOf } from '@relay/common/fault'
import type { FeedHub, Member, Message } from '../feeds/feed-hub.ts'
import { RetryLog } from '@relay/common/retry-log'
import { canonicalAddress, parseDestination, shownUrl } from './destination.ts'
import { type LinkEvent, type LinkRecord, newLink, nextLinkState } from './link-state.ts'
import { LinkSession, type SessionOptions } from './link-session.ts'
import { Outbox } from './outbox.ts'
import type { Recorder } from './recording.ts'
import { ReturnPause } from './return-pause.ts'
import { type DialRelay, dialRelay, type RelayLink } from './relay-link.ts'
import { noToken, type TokenSource } from '@relay/common/token-source'

/** `auto`: binary messages are live, text waits (see `deliveryOf` for instruments). */
export type Delivery = 'auto' | 'live' | 'queued'

export interface UplinkLimits extends SessionOptions {
  readonly queueBytes: number
  readonly queueAgeMs: number
}

export interface UplinkOptions {
  /** Id of the rule or name of the topic: how people know it. */
  readonly id: string
  /** Feed or stream whose messages go out, and where those that come in are published. */
  readonly feed: string
  /** As the rule says it; in its canonical spelling also our name in the hub (spec session 7.3). */
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
  /** How many others hear the topic; undefined where the relay does not tell. */
  readonly viewers?: number | undefined
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
/** Every step of its own ends long before, by a deadline: only a fault of ours takes this long. */
const stepWithinMs = 60_000
/** An open link is looked at each second, on a board that is busy some seconds later. */
const tickWithinMs = 20_000

interface Serving {
  /** Resolves when the socket is gone. */
  readonly closed: Promise<AppError>
  /** To be called when the link has proved itself. */
  readonly established: () => void
  readonly signal: AbortSignal
}

/**
 * One connection to a relay that is kept for ever: exchange the token, dial, carry messages both ways.
 *
 * Invariants: at most one connection; it counts as live only after the relay showed life; live messages never wait while the link is down and are never sent late; other messages wait within bytes and
 * age and go out in order; a token that changed is used at once; when `run` has resolved everything is released.
 */
export class Uplink implements Member {
  readonly name: string
  readonly progress: Progress
  readonly #options: UplinkOptions
  readonly #deps: UplinkDeps
  readonly #outbox: Outbox
  readonly #drops: DropReport
  readonly #retries: RetryLog
  #record: LinkRecord = newLink
  #session: LinkSession | undefined
  readonly #return: ReturnPause
  #viewers: number | undefined
  #sentMessages = 0
  #sentBytes = 0
  #receivedMessages = 0
  #receivedBytes = 0
  #droppedLive = 0
  #reportedQueueDrops = 0

  constructor(options: UplinkOptions, deps: UplinkDeps) {
    this.name = canonicalAddress(options.destination)
    this.progress = new Progress(deps.clock)
    this.#options = options
    this.#deps = deps
    this.#outbox = new Outbox({ maxBytes: options.limits.queueBytes, maxAgeMs: options.limits.queueAgeMs })
    this.#drops = new DropReport({ uplink: options.id }, deps)
    this.#retries = new RetryLog({ uplink: options.id }, deps)
    this.#return = new ReturnPause(deps.random)
  }

  /** Keeps the link until `signal` aborts. Never rejects for a fault of the other end. */
  async run(signal: AbortSignal): Promise<void> {
    const { hub, log } = this.#deps
    const { id, feed, destination } = this.#options
    if (hub.hasMember(feed, this.name)) {
      log.warn(
        { uplink: id, feed, destination: shownUrl(destination) },
        'another uplink joins this feed to the same address: the relay gives back to one what the other sends; delete one',
      )
    }
    const leave = hub.join(feed, this)
    // At once, as a successor may start while this one still says goodbye.
    signal.addEventListener('abort', leave, { once: true })
    log.info({ uplink: id, feed, destination: shownUrl(destination) }, 'uplink started')
    try {
      await this.#keepConnected(signal)
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
      roundTripMs: this.#session?.roundTripMs,
      viewers: this.#viewers,
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
    const session = this.#session
    const isUsable = session?.isUsable === true
    if (isUsable && session.sendLive(message)) {
      this.#countSent(message)
      return
    }
    this.#droppedLive += 1
    this.#drops.count(isUsable ? 'live, slow link' : 'live, no link')
  }

  #deliverQueued(message: Message): void {
    this.#outbox.add(message, this.#deps.clock.monotonicMs())
    this.#pump()
  }

  /** Sends what waits, as far as the link takes it. */
  #pump(): void {
    const nowMs = this.#deps.clock.monotonicMs()
    const session = this.#session
    this.#outbox.expire(nowMs)
    for (;;) {
      if (session?.isUsable !== true || !session.hasRoom) break
      const message = this.#outbox.take(nowMs)
      if (message === undefined) break
      session.send(message)
      this.#countSent(message)
    }
    while (this.#reportedQueueDrops < this.#outbox.dropped) {
      this.#reportedQueueDrops += 1
      this.#drops.count('queued')
    }
  }

  #countSent({ data }: Message): void {
    this.#sentMessages += 1
    this.#sentBytes += data.length
  }

  async #keepConnected(signal: AbortSignal): Promise<void> {
    const { clock, random, log } = this.#deps
    const { id, token = noToken } = this.#options
    await keepConnectedByToken(
      (attempt, inner) => this.#connectOnce(attempt, inner),
      retryPolicy,
      {
        clock,
        random,
        token,
        onRetry: (retry) => {
          const { attempt, delayMs } = retry
          this.#dispatch({ kind: 'retry', atMs: clock.monotonicMs(), delayMs, attempt })
          this.#retries.tell(retry, 'uplink is down, will be tried again')
        },
        onNewToken: () => log.info({ uplink: id }, 'the token changed, connecting anew'),
        onGaveUp: (error) => {
          this.#dispatch({ kind: 'gave-up' })
          log.error({ uplink: id, error }, 'uplink cannot work as it is configured')
        },
      },
      signal,
    )
  }

  async #connectOnce(attempt: TokenAttempt, signal: AbortSignal): Promise<void> {
    const { clock, dial = dialRelay, environment } = this.#deps
    const closed = Promise.withResolvers<AppError>()
    try {
      const uri = await this.#address(attempt, signal)
      this.#dispatch({ kind: 'step', step: 'dial', atMs: clock.monotonicMs() })
      const link = await dial(
        uri,
        {
          onMessage: (message) => this.#onMessage(message),
          onPong: (payload) => this.#onPong(payload),
          onReturnSpread: (spreadMs) => this.#return.spread(spreadMs),
          onViewers: (count) => {
            this.#viewers = count
          },
          onClosed: (error) => closed.resolve(error),
        },
        { handshakeTimeoutMs, environment },
        signal,
      )
      await this.#serve(link, { closed: closed.promise, established: attempt.established, signal })
    } catch (error) {
      if (!signal.aborted) this.#fail(error)
      throw this.#return.slowDown(error)
    }
  }

  /** The address to dial, fresh for each attempt. */
  async #address({ readToken, accepted }: TokenAttempt, signal: AbortSignal): Promise<string> {
    const { clock, exchange = exchangeToken, environment } = this.#deps
    const { token, destination } = this.#options
    const { kind, url } = parseDestination(destination, { hasToken: token !== undefined })
    if (kind === 'direct' || token === undefined) return url
    this.#dispatch({ kind: 'step', step: 'exchange', atMs: clock.monotonicMs() })
    const uri = await exchange({
      access: url,
      token: await readToken(),
      timeoutMs: exchangeTimeoutMs,
      signal,
      environment,
    })
    accepted()
    return uri
  }

  /** Carries messages until the link is gone (rejects) or `signal` aborts (resolves). */
  async #serve(link: RelayLink, { closed, established, signal }: Serving): Promise<void> {
    const { clock, log } = this.#deps
    const serving = new AbortController()
    const stopping = AbortSignal.any([signal, serving.signal])
    this.#dispatch({ kind: 'step', step: 'confirm', atMs: clock.monotonicMs() })
    const onConfirmed = (): void => {
      this.#dispatch({ kind: 'confirmed', atMs: clock.monotonicMs() })
      established()
      this.#deps.hub.announce(this.#options.feed, this)
      log.info({ uplink: this.#options.id }, 'uplink is live')
    }
    const session = new LinkSession(link, this.#options.limits, { clock, onConfirmed })
    this.#session = session
    try {
      const end = await Promise.race([closed, session.watch(() => this.#tick(), stopping)])
      if (end !== undefined) throw end
    } finally {
      serving.abort()
      this.#session = undefined
      this.#viewers = undefined
      if (signal.aborted) await link.close()
      else link.terminate()
    }
  }

  /** Each second while a link is open. */
  #tick(): void {
    this.progress.promise(tickWithinMs)
    this.#pump()
  }

  #onMessage(message: Message): void {
    this.#receivedMessages += 1
    this.#receivedBytes += message.data.length
    this.#session?.heard()
    this.#deps.hub.publish(this.#options.feed, message, this)
    this.#pump()
  }

  #onPong(payload: Buffer): void {
    this.#session?.heardPong(payload)
    this.#pump()
  }

  #dispatch(event: LinkEvent): void {
    this.#promiseNext(event)
    const state = nextLinkState(this.#record.state, event)
    const isNewlyLive = state.kind === 'live' && this.#record.state.kind !== 'live'
    this.#record = isNewlyLive
      ? { state, connects: this.#record.connects + 1, failures: 0, fault: undefined }
      : { ...this.#record, state }
  }

  #promiseNext(event: LinkEvent): void {
    switch (event.kind) {
      case 'retry':
        this.progress.promise(event.delayMs + stepWithinMs)
        break
      case 'gave-up':
      case 'stopped':
        this.progress.rest()
        break
      default:
        this.progress.promise(stepWithinMs)
    }
  }

  #fail(error: unknown): void {
    const fault: Fault = faultOf(error, this.#deps.clock.nowMs())
    this.#record = { ...this.#record, failures: this.#record.failures + 1, fault }
  }
}
