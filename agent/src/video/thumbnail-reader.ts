/** Small pictures of one size, one byte of brightness for each point, without anything between them. */
export interface ThumbnailSize {
  readonly width: number
  readonly height: number
}

/** What the encoder is asked for: enough to tell a picture from darkness, and one moment from the next. */
export const thumbnailSize: ThumbnailSize = { width: 32, height: 24 }

/**
 * Takes thumbnails out of a byte stream, however it is chunked. Holds less than one of them.
 *
 * Invariant: of several that come in one chunk the last one counts: an encoder that lags gives out many at once.
 */
export class ThumbnailReader {
  readonly #open: Buffer
  #openBytes = 0

  constructor({ width, height }: ThumbnailSize) {
    this.#open = Buffer.alloc(width * height)
  }

  /** The newest thumbnail that is complete with this chunk; undefined where none is. It is valid until the next call. */
  push(chunk: Buffer): Buffer | undefined {
    const bytes = this.#open.length
    const total = this.#openBytes + chunk.length
    const complete = Math.floor(total / bytes)
    let newest: Buffer | undefined
    if (complete > 0) {
      const end = complete * bytes - this.#openBytes
      newest =
        end >= bytes
          ? chunk.subarray(end - bytes, end)
          : Buffer.concat([this.#open.subarray(0, this.#openBytes), chunk.subarray(0, end)])
      this.#openBytes = 0
      chunk = chunk.subarray(end)
    }
    chunk.copy(this.#open, this.#openBytes)
    this.#openBytes += chunk.length
    return newest
  }

  /** A new stream begins. */
  clear(): void {
    this.#openBytes = 0
  }
}
