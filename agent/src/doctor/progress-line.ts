/** Before that nobody wonders. */
const quietMs = 2_000

/** One line on a terminal that tells what is still looked at, from two seconds on; nothing elsewhere. */
export class ProgressLine {
  readonly #terminal: NodeJS.WritableStream | undefined
  readonly #startedAtMs = performance.now()
  #isShown = false
  #timer: NodeJS.Timeout | undefined

  constructor(stream: NodeJS.WritableStream) {
    this.#terminal = 'isTTY' in stream && stream.isTTY === true ? stream : undefined
  }

  show(areas: readonly string[]): void {
    clearTimeout(this.#timer)
    const leftMs = quietMs - (performance.now() - this.#startedAtMs)
    this.#timer = setTimeout(() => this.#write(areas), Math.max(0, leftMs))
  }

  end(): void {
    clearTimeout(this.#timer)
    if (this.#isShown) this.#terminal?.write('\r\u001B[K')
  }

  #write(areas: readonly string[]): void {
    if (areas.length === 0) return
    this.#isShown = true
    this.#terminal?.write(`\r\u001B[Klooking at: ${areas.join(', ').slice(0, 64)}`)
  }
}
