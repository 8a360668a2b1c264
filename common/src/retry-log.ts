import type { Clock } from './clock.ts'
import { errorCode } from './errors.ts'
import type { Retry } from './keep-connected.ts'
import type { Log } from './log.ts'

export interface RetryLogDeps {
  readonly clock: Clock
  readonly log: Log
}

/** The first attempts of an outage are each told; then the same fault only so often. */
const toldAttempts = 4
const againAfterMs = 600_000
/** Codes are few; more are no reason to remember without end. */
const maxKnownCodes = 32

/**
 * Tells why something is tried again: every new kind of fault and the first attempts at once, a lasting one every ten
 * minutes. A relay that is away for a week must not fill the disk of a board with lines.
 */
export class RetryLog {
  readonly #facts: Readonly<Record<string, string>>
  readonly #deps: RetryLogDeps
  /** When each kind of fault of this outage was told last. */
  readonly #toldAtMs = new Map<string | undefined, number>()
  #untold = 0

  /** `facts` stand in each line, such as which camera it is. */
  constructor(facts: Readonly<Record<string, string>>, deps: RetryLogDeps) {
    this.#facts = facts
    this.#deps = deps
  }

  tell({ attempt, delayMs, error }: Retry, message: string): void {
    const { clock, log } = this.#deps
    const nowMs = clock.monotonicMs()
    const code = errorCode(error)
    if (attempt === 0 || this.#toldAtMs.size >= maxKnownCodes) this.#toldAtMs.clear()
    const toldAtMs = this.#toldAtMs.get(code) ?? Number.NEGATIVE_INFINITY
    if (attempt >= toldAttempts && nowMs - toldAtMs < againAfterMs) {
      this.#untold += 1
      return
    }
    const untold = this.#untold
    this.#toldAtMs.set(code, nowMs)
    this.#untold = 0
    log.warn({ ...this.#facts, attempt, delayMs, ...(untold === 0 ? {} : { untold }), error }, message)
  }
}
