import type { Span } from './order-ledger.ts'

const maxKept = 10_000

/** Keeps every silence of a stream that is longer than it should be. Times come in order. */
export class SilenceLedger {
  readonly #longestUsualMs: number
  readonly #silences: Span[] = []
  #lastAtMs: number | undefined

  constructor({ longestUsualMs }: { readonly longestUsualMs: number }) {
    this.#longestUsualMs = longestUsualMs
  }

  /** Something came. */
  take(nowMs: number): void {
    this.#end(nowMs)
    this.#lastAtMs = nowMs
  }

  /** All that were too long, one that goes on at `nowMs` included; none before the first message. */
  until(nowMs: number): readonly Span[] {
    const lastMs = this.#lastAtMs
    return lastMs !== undefined && nowMs - lastMs > this.#longestUsualMs
      ? [...this.#silences, { fromMs: lastMs, toMs: nowMs }]
      : [...this.#silences]
  }

  #end(nowMs: number): void {
    const lastMs = this.#lastAtMs
    if (lastMs === undefined || nowMs - lastMs <= this.#longestUsualMs) return
    if (this.#silences.length < maxKept) this.#silences.push({ fromMs: lastMs, toMs: nowMs })
  }
}
