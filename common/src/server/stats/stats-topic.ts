import type { Cancel, Clock } from '../../clock.ts'

const statsTopicName = 'stats'
/** After a report, none follows within this time, whoever asks. */
const quietMs = 1000
/** Commands are short; longer messages on the topic are not looked at. */
const maxCommandBytes = 4096

/** Who passes messages on, as far as the reports need it. */
export interface StatsCarrier {
  /** Calls `onMessage` for each message on a topic, whether anybody reads it or not. */
  listenTo(topic: string, onMessage: (payload: Buffer) => void): void
  hasReaders(topic: string): boolean
  /** Passes a message of the relay itself to every reader of a topic. */
  publish(topic: string, text: string): void
}

/** Who knows what a report says. */
export interface StatsReporter {
  stats(): readonly object[]
}

export interface StatsTopicOptions {
  /** Reports that nobody asked for come this long, and one second, after the one before. */
  readonly everyMs: number
}

/** Publishes reports on the topic `stats`, on request and from time to time (spec session 6.8 and 10.5). */
export class StatsTopic {
  readonly #options: StatsTopicOptions
  readonly #exchange: StatsCarrier
  readonly #reporter: StatsReporter
  readonly #clock: Clock
  #lastReportMs: number
  #cancel: Cancel | undefined
  #isAsked = false

  constructor(
    options: StatsTopicOptions,
    deps: { exchange: StatsCarrier; reporter: StatsReporter; clock: Clock },
  ) {
    this.#options = options
    this.#exchange = deps.exchange
    this.#reporter = deps.reporter
    this.#clock = deps.clock
    this.#lastReportMs = deps.clock.monotonicMs()
  }

  start(): void {
    this.#exchange.listenTo(statsTopicName, (payload) => {
      if (isUpdateCommand(payload)) this.#ask()
    })
    this.#schedule()
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  #ask(): void {
    if (this.#isAsked) return
    this.#isAsked = true
    this.#schedule()
  }

  #schedule(): void {
    this.#cancel?.()
    const sinceLastMs = this.#clock.monotonicMs() - this.#lastReportMs
    const waitMs = (this.#isAsked ? quietMs : this.#options.everyMs + quietMs) - sinceLastMs
    this.#cancel = this.#clock.after(Math.max(0, waitMs), () => this.#report())
  }

  #report(): void {
    this.#isAsked = false
    this.#lastReportMs = this.#clock.monotonicMs()
    if (this.#exchange.hasReaders(statsTopicName)) {
      this.#exchange.publish(statsTopicName, JSON.stringify(this.#reporter.stats()))
    }
    this.#schedule()
  }
}

/** Whether a message, text or binary, is `{"cmd":"update"}`; letter case of the key as Go reads it. Pure. */
export function isUpdateCommand(payload: Buffer): boolean {
  if (payload.length > maxCommandBytes) return false
  try {
    const command: unknown = JSON.parse(payload.toString('utf8'))
    if (typeof command !== 'object' || command === null) return false
    return Object.entries(command).some(([key, value]) => key.toLowerCase() === 'cmd' && value === 'update')
  } catch {
    return false
  }
}
