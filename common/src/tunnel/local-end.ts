import type { Readable, Writable } from 'node:stream'
import { AppError } from '../errors.ts'
import type { LocalEvents, LocalSide } from './local-side.ts'

/** The two directions of a local connection: one TCP socket (with `allowHalfOpen`) twice, or stdin and stdout. */
export interface LocalStream {
  readonly readable: Readable
  readonly writable: Writable
  /** Breaks the connection: RST for TCP. */
  readonly reset: () => void
  /** After the last byte was taken and the writable has finished; for what does not close itself. */
  readonly closeWritable?: () => void
}

/** Writes below this are joined within one turn of the event loop. */
const smallWriteBytes = 8_192

/**
 * A `LocalSide` over streams. It holds nothing: what is read goes on at once, what is written goes to the system at once,
 * small writes of one turn as one.
 */
export class LocalEnd implements LocalSide {
  readonly #stream: LocalStream
  #events: LocalEvents | undefined
  /** Happened before anybody listened. */
  #brokeBefore: AppError | undefined
  #written = 0
  #taken = 0
  #hasReadEnd = false
  #hasWriteEnd = false
  #isSettled = false
  #isCorked = false

  readonly #onData = (data: Buffer): void => this.#events?.localBytes(data)
  readonly #onWritten = (): void => {
    const taken = this.#written - this.#stream.writable.writableLength
    const fresh = taken - this.#taken
    if (fresh <= 0 || this.#isSettled) return
    this.#taken = taken
    this.#events?.localTook(fresh)
  }
  readonly #uncork = (): void => {
    this.#isCorked = false
    this.#stream.writable.uncork()
  }

  /** `events` may come later with `listen`; until then nothing is read, and a break is kept for it. */
  constructor(stream: LocalStream, events?: LocalEvents) {
    this.#stream = stream
    this.#events = events
    const { readable, writable } = stream
    readable.pause()
    readable.on('data', this.#onData)
    // A listener alone would start it.
    readable.pause()
    readable.on('end', () => this.#readEnded())
    readable.on('error', (error) => this.#broke(error))
    readable.on('close', () => this.#readClosed())
    if ((writable as unknown) !== readable) {
      writable.on('error', (error) => this.#broke(error))
      writable.on('close', () => this.#writeClosed())
    }
    writable.on('finish', () => this.#writeEnded())
  }

  /** From now on `events` hears of it; where it is broken already, at once. */
  listen(events: LocalEvents): void {
    this.#events = events
    const error = this.#brokeBefore
    this.#brokeBefore = undefined
    if (error !== undefined) events.localBroke(error)
  }

  pause(): void {
    this.#stream.readable.pause()
  }

  resume(): void {
    this.#stream.readable.resume()
  }

  get bufferedBytes(): number {
    return this.#stream.writable.writableLength
  }

  write(data: Buffer): void {
    const { writable } = this.#stream
    if (this.#isSettled || data.length === 0) return
    if (data.length < smallWriteBytes && !this.#isCorked) {
      this.#isCorked = true
      writable.cork()
      process.nextTick(this.#uncork)
    }
    this.#written += data.length
    writable.write(data, this.#onWritten)
  }

  end(): void {
    if (!this.#isSettled) this.#stream.writable.end()
  }

  reset(): void {
    if (this.#isSettled) return
    this.#isSettled = true
    this.#stream.reset()
  }

  #readEnded(): void {
    if (this.#isSettled || this.#hasReadEnd) return
    this.#hasReadEnd = true
    this.#events?.localEnded()
  }

  #writeEnded(): void {
    if (this.#isSettled || this.#hasWriteEnd) return
    this.#onWritten()
    this.#hasWriteEnd = true
    this.#stream.closeWritable?.()
    this.#events?.localTookEnd()
  }

  #readClosed(): void {
    const isBoth = (this.#stream.writable as unknown) === this.#stream.readable
    if (this.#hasReadEnd && (!isBoth || this.#hasWriteEnd)) return
    this.#broke(new Error('it was closed'))
  }

  #writeClosed(): void {
    if (!this.#hasWriteEnd) this.#broke(new Error('it was closed'))
  }

  #broke(cause: Error): void {
    if (this.#isSettled || (this.#hasReadEnd && this.#hasWriteEnd)) return
    this.#isSettled = true
    this.#stream.reset()
    const error = new AppError('LOCAL_BROKE', 'the connection was broken off by the program that uses it', {
      cause,
    })
    if (this.#events === undefined) this.#brokeBefore = error
    else this.#events.localBroke(error)
  }
}
