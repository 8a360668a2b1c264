import { writeSync } from 'node:fs'
import { errorCode } from './errors.ts'

export interface LogStreamOptions {
  readonly fd: number
  /** What a reader that has stopped reading may leave unread here; lines beyond are lost and counted. */
  readonly maxBufferedBytes: number
  /** Told how many lines were lost, once there is room again. */
  readonly onLost: (lines: number) => void
  /** Writes some or all bytes now, and says how many; as `fs.writeSync`. */
  readonly write?: (fd: number, data: Uint8Array) => number
}

/** A pipe that took nothing is asked again after this; one that took something sooner, as its reader reads. */
const retryAfterMs = { nothing: 100, something: 10 }
/** Waiting lines go out together: a pipe holds far fewer small writes than bytes. */
const maxChunkBytes = 65_536
const lastFlushWithinMs = 1000

/**
 * Where log lines go: written at once and in order. A reader that stalls (a journal that is restarted) never stops this
 * program: lines wait, bounded, and are tried again; one that has gone is written to no more.
 */
export class LogStream {
  readonly #options: LogStreamOptions
  readonly #write: (fd: number, data: Uint8Array) => number
  readonly #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #lost = 0
  #isClosed = false
  #retry: NodeJS.Timeout | undefined

  constructor(options: LogStreamOptions) {
    this.#options = options
    this.#write = options.write ?? writeSync
  }

  /** One line, its line end included. */
  write(line: string): void {
    if (this.#isClosed) return
    const bytes = Buffer.from(line)
    if (this.#waitingBytes + bytes.length > this.#options.maxBufferedBytes && this.#waitingBytes > 0) {
      this.#lost += 1
      return
    }
    this.#waiting.push(bytes)
    this.#waitingBytes += bytes.length
    // While lines wait the timer tries; each line of its own would only ask once more.
    if (this.#retry === undefined) this.#pump()
  }

  /** Before the process ends: what waits goes out, or is given up after a second. */
  flushForExit(): void {
    clearTimeout(this.#retry)
    const giveUpAtMs = performance.now() + lastFlushWithinMs
    while (!this.#tryAll() && performance.now() < giveUpAtMs) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
    }
  }

  #pump(): void {
    const before = this.#waitingBytes
    if (this.#tryAll()) {
      this.#retry = undefined
      if (this.#lost > 0) {
        const lost = this.#lost
        this.#lost = 0
        this.#options.onLost(lost)
      }
      return
    }
    const hasMoved = this.#waitingBytes < before
    this.#retry = setTimeout(() => this.#pump(), hasMoved ? retryAfterMs.something : retryAfterMs.nothing)
    // A log alone is no reason to stay alive; what is left goes out at the exit.
    this.#retry.unref()
  }

  /** Whether nothing waits any more. */
  #tryAll(): boolean {
    while (this.#waiting.length > 0) {
      const chunk = this.#takeChunk()
      const written = this.#tryOne(chunk)
      if (this.#isClosed) return true
      this.#waitingBytes -= written
      if (written < chunk.length) {
        this.#waiting.unshift(chunk.subarray(written))
        return false
      }
    }
    return true
  }

  #takeChunk(): Uint8Array {
    let bytes = 0
    const end = this.#waiting.findIndex((line) => (bytes += line.length) > maxChunkBytes)
    const lines = this.#waiting.splice(0, end < 0 ? this.#waiting.length : Math.max(1, end))
    const [only] = lines
    return lines.length === 1 && only !== undefined ? only : Buffer.concat(lines)
  }

  #tryOne(bytes: Uint8Array): number {
    try {
      return this.#write(this.#options.fd, bytes)
    } catch (error) {
      if (errorCode(error) === 'EAGAIN') return 0
      // Nobody is left to read, nor to be told.
      this.#isClosed = true
      this.#waiting.length = 0
      this.#waitingBytes = 0
      return 0
    }
  }
}
