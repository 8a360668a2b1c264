/** Weight of the newest interval in the running means. */
const weight = 1 / 16
/** An interval longer than this is an interruption and says nothing about the rate. */
const interruptionMs = 2000

/** Counts pictures as they are shown: how old the last one is, how many come per second, how evenly. */
export class PictureClock {
  #lastMs: number | undefined
  #meanMs: number | undefined
  #jitterMs = 0
  #count = 0

  /** Pictures shown so far. */
  get count(): number {
    return this.#count
  }

  /** A picture is shown now; several at once count one by one, as they come late together. */
  mark(nowMs: number): void {
    this.#count += 1
    if (this.#lastMs !== undefined) this.#learn(nowMs - this.#lastMs)
    this.#lastMs = nowMs
  }

  /** Time since the last picture; undefined before the first. */
  ageMs(nowMs: number): number | undefined {
    return this.#lastMs === undefined ? undefined : nowMs - this.#lastMs
  }

  get picturesPerSecond(): number | undefined {
    return this.#meanMs === undefined || this.#meanMs <= 0 ? undefined : 1000 / this.#meanMs
  }

  /** Mean deviation of the intervals from their mean. */
  get jitterMs(): number | undefined {
    return this.#meanMs === undefined ? undefined : this.#jitterMs
  }

  #learn(intervalMs: number): void {
    if (intervalMs > interruptionMs) return
    if (this.#meanMs === undefined) {
      this.#meanMs = intervalMs
      return
    }
    this.#jitterMs += (Math.abs(intervalMs - this.#meanMs) - this.#jitterMs) * weight
    this.#meanMs += (intervalMs - this.#meanMs) * weight
  }
}
