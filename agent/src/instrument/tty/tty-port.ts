import { readSync, writeSync } from 'node:fs'
import { errorCode } from '@relay/common/errors'
import { readableEvent, type TtyBinding, writableEvent } from './tty-binding.ts'

export interface TtyPortEvents {
  /** The chunk is the listener's own. */
  readonly onData: (chunk: Buffer) => void
  /** Once, unless `close` came first. */
  readonly onFault: (cause: Error) => void
}

interface Writing {
  readonly data: Buffer
  offset: number
  readonly done: () => void
  readonly failed: (error: Error) => void
}

const readBytes = 65_536

/**
 * Moves the bytes of a terminal that is open and non-blocking.
 *
 * The streams of `serialport` 13 are not used for that: where a plug is pulled while data flows they read the end of
 * the file again and again, for ever and with a whole core, and never tell (the test "pulled out while it talks"); and
 * while a write waits they do not read.
 *
 * Invariants: reading goes on while a write waits; nothing of it blocks; after `close` or a fault nothing is told.
 */
export class TtyPort {
  readonly #binding: TtyBinding
  readonly #events: TtyPortEvents
  readonly #buffer = Buffer.allocUnsafeSlow(readBytes)
  #writing: Writing | undefined
  #hasEnded = false

  constructor(binding: TtyBinding, events: TtyPortEvents) {
    this.#binding = binding
    this.#events = events
    binding.poller.on('readable', (error) => this.#onEvent(error, () => this.#read()))
    binding.poller.on('writable', (error) => this.#onEvent(error, () => this.#write()))
    this.#wait()
  }

  /** A write waits until the kernel has room. */
  get isWriting(): boolean {
    return this.#writing !== undefined
  }

  /** Resolves when the kernel has taken all. One call at a time. */
  write(data: Buffer): Promise<void> {
    return new Promise((done, failed) => {
      if (this.#hasEnded || this.#writing !== undefined) {
        failed(new Error('the port cannot be written'))
        return
      }
      this.#writing = { data, offset: 0, done, failed }
      this.#write()
      this.#wait()
    })
  }

  /** Stops moving bytes; closing the binding is the caller's. */
  close(): void {
    this.#end(new Error('the port was closed'))
  }

  #onEvent(error: Error | null, act: () => void): void {
    if (this.#hasEnded) return
    if (error === null) act()
    else this.#fail(error)
    this.#wait()
  }

  /** Level-triggered: what is left over comes with the next turn, so that a loud board leaves others their turn. */
  #read(): void {
    const { fd } = this.#binding
    if (fd === null) return
    let count: number
    try {
      count = readSync(fd, this.#buffer, 0, readBytes, null)
    } catch (error) {
      if (!isTemporary(error)) this.#fail(error)
      return
    }
    if (count === 0) this.#fail(new Error('hung up'))
    else this.#events.onData(Buffer.from(this.#buffer.subarray(0, count)))
  }

  #write(): void {
    const { fd } = this.#binding
    const writing = this.#writing
    if (fd === null || writing === undefined) return
    const { data } = writing
    try {
      if (writing.offset < data.length) writing.offset += writeSync(fd, data, writing.offset)
    } catch (error) {
      if (!isTemporary(error)) this.#fail(error)
      return
    }
    if (writing.offset < data.length) return
    this.#writing = undefined
    writing.done()
  }

  #wait(): void {
    if (this.#hasEnded) return
    try {
      this.#binding.poller.poll(readableEvent | (this.#writing === undefined ? 0 : writableEvent))
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(thrown: unknown): void {
    if (this.#hasEnded) return
    const cause = thrown instanceof Error ? thrown : new Error(String(thrown))
    this.#end(cause)
    this.#events.onFault(cause)
  }

  #end(cause: Error): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#binding.poller.removeAllListeners()
    const writing = this.#writing
    this.#writing = undefined
    writing?.failed(cause)
  }
}

function isTemporary(error: unknown): boolean {
  const code = errorCode(error)
  return code === 'EAGAIN' || code === 'EINTR'
}
