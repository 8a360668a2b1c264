/** The part of a TCP socket that tells how much has come. */
export interface ByteSource {
  readonly bytesRead: number
}

/** How long a message may take, and longer by what has come of it on the thinnest line that is worth serving. */
const limitMs = 30_000
const slowestBytesPerSec = 32_768
/** Header and mask of a control frame from a client (RFC 6455 5.2). */
const controlHeaderBytes = 6

/**
 * How much of a message has come that is not whole yet, from outside the parser: what was read since the last whole
 * message, less the control frames. It may be short by what came in one piece with the end of that message.
 */
export class UnfinishedMessage {
  readonly #source: ByteSource
  #doneBytes: number
  #sinceMs = -1

  constructor(source: ByteSource) {
    this.#source = source
    this.#doneBytes = source.bytesRead
  }

  get bytes(): number {
    return Math.max(0, this.#source.bytesRead - this.#doneBytes)
  }

  /** Since when it was seen to be unfinished, on the monotonic clock; -1 where nothing is. */
  get sinceMs(): number {
    return this.#sinceMs
  }

  /** A whole message has come. */
  finished(): void {
    this.#doneBytes = this.#source.bytesRead
    this.#sinceMs = -1
  }

  /** A ping or pong has come, which may stand between the pieces of a message. */
  passedControl(payloadBytes: number): void {
    this.#doneBytes += payloadBytes + controlHeaderBytes
  }

  /** Whether it takes too long. To be asked every second or so. */
  isTooMuch(nowMs: number): boolean {
    const { bytes } = this
    if (bytes === 0) {
      this.#sinceMs = -1
      return false
    }
    if (this.#sinceMs < 0) this.#sinceMs = nowMs
    return nowMs - this.#sinceMs > limitMs + (bytes * 1000) / slowestBytesPerSec
  }
}
