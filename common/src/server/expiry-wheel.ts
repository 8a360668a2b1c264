import type { Cancel, Clock } from '../clock.ts'

/**
 * Ends things at a whole second of the wall clock, by one timer for all of them. An end that is years away costs
 * nothing but its entry; a jump of the wall clock is noticed within a second.
 */
export class ExpiryWheel<T> {
  readonly #clock: Clock
  readonly #onExpired: (item: T) => void
  readonly #slots = new Map<number, Set<T>>()
  #cancelTick: Cancel | undefined

  constructor(clock: Clock, onExpired: (item: T) => void) {
    this.#clock = clock
    this.#onExpired = onExpired
  }

  /** `onExpired(item)` will be called once, at `atSec` or, where that is over, within a second. */
  add(item: T, atSec: number): void {
    const slot = this.#slots.get(atSec)
    if (slot === undefined) this.#slots.set(atSec, new Set([item]))
    else slot.add(item)
    this.#arm()
  }

  /** `atSec` as given to `add`. */
  delete(item: T, atSec: number): void {
    const slot = this.#slots.get(atSec)
    if (slot?.delete(item) !== true) return
    if (slot.size === 0) this.#slots.delete(atSec)
    if (this.#slots.size === 0) this.stop()
  }

  /** Forgets the timer; `add` sets it again. */
  stop(): void {
    this.#cancelTick?.()
    this.#cancelTick = undefined
  }

  #arm(): void {
    if (this.#cancelTick !== undefined) return
    const intoSecondMs = this.#clock.nowMs() % 1000
    this.#cancelTick = this.#clock.after(1001 - intoSecondMs, () => {
      this.#cancelTick = undefined
      this.#expire()
      if (this.#slots.size > 0) this.#arm()
    })
  }

  #expire(): void {
    const nowMs = this.#clock.nowMs()
    for (const [atSec, slot] of this.#slots) {
      if (atSec * 1000 > nowMs) continue
      this.#slots.delete(atSec)
      for (const item of slot) this.#onExpired(item)
    }
  }
}
