import type { Clock } from '@relay/common/clock'
import type { Message } from '../feeds/feed-hub.ts'
import { KeptState } from './kept-state.ts'
import { RateLimit } from '@relay/common/rate-limit'
import { findSubscription, type Subscription, toFeed } from './topic-map.ts'

export interface IntakeOptions {
  readonly subscriptions: readonly Subscription[]
  readonly maxPayloadBytes: number
  readonly keptBytes: number
}

export interface IntakeDeps {
  readonly clock: Clock
  readonly publish: (message: Message) => void
  /** A message was lost, and why. */
  readonly onDropped: (reason: string) => void
}

/** Many viewers who come at once are one reason to say what is kept. */
const repeatAtMostEveryMs = 1_000
/** A template makes a message longer than its payload was, but not without end. */
const longestGrowth = 4

/**
 * What comes from a broker on its way to the feed: translated, no more than each subscription may give, and of topics
 * with a state the last message kept for those who come late.
 */
export class MessageIntake {
  readonly #options: IntakeOptions
  readonly #deps: IntakeDeps
  readonly #kept: KeptState
  readonly #limits: ReadonlyMap<Subscription, RateLimit>
  #receivedMessages = 0
  #receivedBytes = 0
  #droppedMessages = 0
  #repeatedAtMs = Number.NEGATIVE_INFINITY
  #isRepeatWanted = false

  constructor(options: IntakeOptions, deps: IntakeDeps) {
    this.#options = options
    this.#deps = deps
    this.#kept = new KeptState({ maxBytes: options.keptBytes })
    this.#limits = new Map(
      options.subscriptions.map((subscription) => [
        subscription,
        new RateLimit(subscription.maxPerSecond, deps.clock),
      ]),
    )
  }

  get counters() {
    return {
      receivedMessages: this.#receivedMessages,
      receivedBytes: this.#receivedBytes,
      droppedMessages: this.#droppedMessages,
      keptTopics: this.#kept.topics,
      keptBytes: this.#kept.bytes,
    }
  }

  /** A message of the broker. */
  take(topic: string, payload: Buffer, retained: boolean): void {
    const { clock, publish, onDropped } = this.#deps
    const { subscriptions, maxPayloadBytes } = this.#options
    const found = findSubscription(subscriptions, topic)
    if (found === undefined) {
      this.drop('topic of no subscription')
      return
    }
    const { subscription, captures } = found
    const { template, keepsLast } = subscription
    if (payload.length > maxPayloadBytes) {
      this.drop('message too long')
      return
    }
    // An empty retained message takes a state back (MQTT 5, 3.3.1.3), and there is nothing to say of it.
    if (keepsLast && payload.length === 0) {
      this.#kept.forget(topic)
      return
    }
    const isAdmitted = this.#limits.get(subscription)?.admits() === true
    // Of a state the last word counts: it is kept even where there are too many to say each.
    if (!isAdmitted && !keepsLast) {
      this.drop('too many messages')
      return
    }
    const translated = toFeed(
      { topic, payload, retained, timeMs: clock.nowMs() },
      { template, captures },
      longestGrowth * maxPayloadBytes,
    )
    if (!translated.ok) {
      this.drop(`message ${translated.reason}`)
      return
    }
    const { message } = translated
    if (keepsLast && !this.#kept.keep(topic, message)) onDropped('no room to keep a state')
    if (!isAdmitted) {
      this.drop('too many messages')
      return
    }
    this.#receivedMessages += 1
    this.#receivedBytes += payload.length
    publish(message)
  }

  /** One was lost before it came here. */
  drop(reason: string): void {
    this.#droppedMessages += 1
    this.#deps.onDropped(reason)
  }

  /** Somebody may have missed what is kept: it is said again, now or within a second. */
  wantRepeat(): void {
    this.#isRepeatWanted = true
    this.repeatIfDue()
  }

  /** To be called each second. */
  repeatIfDue(): void {
    const nowMs = this.#deps.clock.monotonicMs()
    if (!this.#isRepeatWanted || nowMs - this.#repeatedAtMs < repeatAtMostEveryMs) return
    this.#repeatedAtMs = nowMs
    this.#isRepeatWanted = false
    for (const message of this.#kept.messages()) this.#deps.publish(message)
  }
}
