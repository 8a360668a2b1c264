import type { Cancel, Clock } from '@relay/common/clock'

/** Before that nobody wonders. */
const quietMs = 2_000
/** Fits into every terminal. */
const maxLength = 64

/** One line on a terminal that tells what is still looked at, from two seconds on; nothing elsewhere. */
export class ProgressLine {
  readonly #terminal: NodeJS.WritableStream | undefined
  readonly #clock: Clock
  readonly #startedAtMs: number
  #isShown = false
  #cancel: Cancel = () => undefined

  constructor(stream: NodeJS.WritableStream, clock: Clock) {
    this.#terminal = 'isTTY' in stream && stream.isTTY === true ? stream : undefined
    this.#clock = clock
    this.#startedAtMs = clock.monotonicMs()
  }

  show(areas: readonly string[]): void {
    this.#cancel()
    const leftMs = quietMs - (this.#clock.monotonicMs() - this.#startedAtMs)
    this.#cancel = this.#clock.after(leftMs, () => this.#write(areas))
  }

  /** Takes the line away again. */
  end(): void {
    this.#cancel()
    if (this.#isShown) this.#terminal?.write('\r\u001B[K')
  }

  #write(areas: readonly string[]): void {
    if (areas.length === 0) return
    this.#isShown = true
    this.#terminal?.write(`\r\u001B[Klooking at: ${areas.join(', ').slice(0, maxLength)}`)
  }
}
