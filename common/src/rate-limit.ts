import type { Clock } from './clock.ts'

/** Lets through so many a second, and a burst of them at once after a quiet time. */
export class RateLimit {
  readonly #perSecond: number
  readonly #burst: number
  readonly #clock: Pick<Clock, 'monotonicMs'>
  #tokens: number
  #sinceMs: number

  /** `burst`: as many as a second has, where nothing else is said. */
  constructor(perSecond: number, clock: Pick<Clock, 'monotonicMs'>, burst = perSecond) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#clock = clock
    this.#tokens = burst
    this.#sinceMs = clock.monotonicMs()
  }

  /** One more may pass; if so it is counted. */
  admits(): boolean {
    const nowMs = this.#clock.monotonicMs()
    this.#tokens = Math.min(this.#burst, this.#tokens + ((nowMs - this.#sinceMs) * this.#perSecond) / 1000)
    this.#sinceMs = nowMs
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}
