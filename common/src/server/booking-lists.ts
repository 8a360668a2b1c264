import type { Clock } from '../clock.ts'

export interface BookingListsOptions {
  /** Most entries of either list. */
  readonly maxEntries: number
}

/** Longer ids come from no booking system; they may connect, but are not noted. */
const maxNotedLength = 256

/**
 * Which bookings are denied and which were seen or allowed, until they end (spec session 10.4). In memory only.
 *
 * Invariants: a booking is on one list at most; entries leave by `tidy` once their end is over; a denial is never
 * evicted, an allowance may be, as nothing depends on it.
 */
export class BookingLists {
  readonly #options: BookingListsOptions
  readonly #clock: Pick<Clock, 'nowMs'>
  readonly #denied = new Map<string, number>()
  readonly #allowed = new Map<string, number>()

  constructor(options: BookingListsOptions, clock: Pick<Clock, 'nowMs'>) {
    this.#options = options
    this.#clock = clock
  }

  get denied(): readonly string[] {
    return [...this.#denied.keys()]
  }

  get allowed(): readonly string[] {
    return [...this.#allowed.keys()]
  }

  isDenied(bookingId: string): boolean {
    return this.#denied.has(bookingId)
  }

  /** Refuses the booking until `untilSec`. False: the list is full, nothing was changed. */
  deny(bookingId: string, untilSec: number): boolean {
    if (!this.#denied.has(bookingId) && this.#denied.size >= this.#options.maxEntries) {
      this.tidy()
      if (this.#denied.size >= this.#options.maxEntries) return false
    }
    this.#allowed.delete(bookingId)
    this.#denied.set(bookingId, untilSec)
    return true
  }

  /** Takes back a denial. */
  allow(bookingId: string, untilSec: number): void {
    this.#denied.delete(bookingId)
    this.#note(bookingId, untilSec)
  }

  /** Notes a booking that was used. Never undoes a denial. */
  seen(bookingId: string, untilSec: number): void {
    if (bookingId === '' || bookingId.length > maxNotedLength || this.#denied.has(bookingId)) return
    this.#note(bookingId, Math.max(untilSec, this.#allowed.get(bookingId) ?? 0))
  }

  /** Removes what is over. */
  tidy(): void {
    const nowSec = Math.floor(this.#clock.nowMs() / 1000)
    for (const list of [this.#denied, this.#allowed]) {
      for (const [bookingId, untilSec] of list) if (untilSec < nowSec) list.delete(bookingId)
    }
  }

  #note(bookingId: string, untilSec: number): void {
    if (!this.#allowed.has(bookingId) && this.#allowed.size >= this.#options.maxEntries) {
      const oldest = this.#allowed.keys().next()
      if (oldest.done !== true) this.#allowed.delete(oldest.value)
    }
    this.#allowed.set(bookingId, untilSec)
  }
}
