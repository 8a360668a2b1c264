import type { CodedPicture } from './picture-assembler.ts'

export interface PictureQueueOptions {
  /** A backlog of more pictures than this is skipped down to the newest key picture. */
  readonly maxWaiting: number
  readonly maxBytes: number
}

/**
 * Pictures that came and were not decoded yet. When more wait than the decoder can make up for (a slow phone, a hidden
 * tab), it goes on from the newest key picture: the viewer loses pictures and never falls behind.
 *
 * Invariant: what is taken can be decoded in order; after a loss the next picture is a key picture.
 */
export class PictureQueue {
  readonly #options: PictureQueueOptions
  #waiting: CodedPicture[] = []
  #bytes = 0
  #needsKey = true
  #hasBegun = false
  #skipped = 0

  constructor(options: PictureQueueOptions) {
    this.#options = options
  }

  get length(): number {
    return this.#waiting.length
  }

  /** Pictures that were left out so that the newest is shown; those before the first key picture do not count. */
  get skipped(): number {
    return this.#skipped
  }

  push(picture: CodedPicture): void {
    if (this.#needsKey && !picture.isKey) {
      if (this.#hasBegun) this.#skipped += 1
      return
    }
    this.#needsKey = false
    this.#hasBegun = true
    this.#waiting.push(picture)
    this.#bytes += picture.bytes
    if (this.#isTooLong()) this.#skipToNewestKey()
  }

  /** The next picture to decode. */
  take(): CodedPicture | undefined {
    const picture = this.#waiting.shift()
    if (picture !== undefined) this.#bytes -= picture.bytes
    return picture
  }

  /** While nothing is shown, only what is needed to show the newest picture later is kept. */
  trim(): void {
    const newestKey = this.#waiting.findLastIndex((picture) => picture.isKey)
    if (newestKey > 0) this.#drop(newestKey)
  }

  /** A new link: nothing that waits continues. */
  reset(): void {
    this.#drop(this.#waiting.length)
    this.#needsKey = true
  }

  #isTooLong(): boolean {
    return this.#waiting.length > this.#options.maxWaiting || this.#bytes > this.#options.maxBytes
  }

  #skipToNewestKey(): void {
    this.trim()
    if (!this.#isTooLong()) return
    this.#drop(this.#waiting.length)
    this.#needsKey = true
  }

  #drop(count: number): void {
    for (const picture of this.#waiting.splice(0, count)) this.#bytes -= picture.bytes
    this.#skipped += count
  }
}
