import type { Clock } from '@relay/common/clock'

/** Lets through so many a second, and as many at once after a quiet second. */
export class RateLimit {
  readonly #perSecond: number
  readonly #clock: Pick<Clock, 'monotonicMs'>
  #tokens: number
  #sinceMs: number

  constructor(perSecond: number, clock: Pick<Clock, 'monotonicMs'>) {
    this.#perSecond = perSecond
    this.#clock = clock
    this.#tokens = perSecond
    this.#sinceMs = clock.monotonicMs()
  }

  /** One more may pass; if so it is counted. */
  admits(): boolean {
    const nowMs = this.#clock.monotonicMs()
    this.#tokens = Math.min(
      this.#perSecond,
      this.#tokens + ((nowMs - this.#sinceMs) * this.#perSecond) / 1000,
    )
    this.#sinceMs = nowMs
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}
