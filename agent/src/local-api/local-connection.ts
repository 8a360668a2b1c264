import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'

/** How long a connection that was answered and ended may go on sending before it is cut. */
const lingerMs = 1_000
const nothing = Buffer.alloc(0)

/**
 * A socket as the HTTP server sees it. It stands between because the parser of Node refuses the method UPDATE, which
 * the old host knows (spec session 7.1): the connection can be taken back from a parser that failed, bytes included,
 * and given to a new one. Websockets get the bare socket by `release`.
 *
 * Invariants: every byte of the socket is read once, by this or by its successor; destroying this destroys the
 * socket unless it was released; the end of the input is passed on only once nothing waits for an answer.
 */
export class LocalConnection extends Duplex {
  readonly #socket: Socket
  #isReleased = false
  #hasEnded = false
  #pendingAnswers = 0
  #onAnswered: (() => void) | undefined
  #lingering: NodeJS.Timeout | undefined

  /** `ahead` is what was read from the socket before and is still to be parsed. */
  constructor(socket: Socket, ahead: Buffer = nothing) {
    super({ allowHalfOpen: true })
    this.#socket = socket
    socket.setTimeout(0)
    socket.on('data', this.#onData)
    socket.on('end', this.#onEnd)
    socket.on('error', this.#onError)
    socket.on('close', this.#onClose)
    socket.on('timeout', this.#onTimeout)
    if (ahead.length > 0) this.push(ahead)
    if (socket.destroyed) this.destroy()
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress
  }

  get remotePort(): number | undefined {
    return this.#socket.remotePort
  }

  get localAddress(): string | undefined {
    return this.#socket.localAddress
  }

  get localPort(): number | undefined {
    return this.#socket.localPort
  }

  /** Called by the HTTP server for idle connections. */
  setTimeout(timeoutMs: number): this {
    this.#socket.setTimeout(timeoutMs)
    return this
  }

  /** Called by the HTTP server after the last answer: ends, and gives the client a moment to read and to stop. */
  destroySoon(): void {
    this.end()
    this.#lingering ??= setTimeout(() => this.destroy(), lingerMs)
  }

  /** A request waits for its answer from now until the function that is given back is called. */
  expectAnswer(): () => void {
    this.#pendingAnswers += 1
    let isDone = false
    return () => {
      if (isDone) return
      isDone = true
      this.#pendingAnswers -= 1
      if (this.#pendingAnswers > 0) return
      this.#onAnswered?.()
      if (this.#hasEnded && !this.#isReleased) this.push(null)
    }
  }

  /** Runs `action` once no request of this connection waits for an answer. */
  whenAnswered(action: () => void): void {
    if (this.#pendingAnswers === 0) action()
    else this.#onAnswered = action
  }

  /**
   * Takes the bare socket, paused, out of this object, with what was read from it and not consumed. Answers that are
   * still due can be written here until it is destroyed.
   */
  release(): { readonly socket: Socket; readonly unread: Buffer } {
    this.#isReleased = true
    this.#socket.pause()
    this.#detach()
    const chunks: Buffer[] = []
    for (;;) {
      const chunk = this.read() as Buffer | null
      if (chunk === null) break
      chunks.push(chunk)
    }
    return { socket: this.#socket, unread: Buffer.concat(chunks) }
  }

  override _read(): void {
    if (!this.#isReleased) this.#socket.resume()
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, encoding, done)
  }

  override _writev(
    chunks: readonly { readonly chunk: Buffer; readonly encoding: BufferEncoding }[],
    done: (error?: Error | null) => void,
  ): void {
    this.#socket.cork()
    chunks.forEach(({ chunk, encoding }, i) => {
      this.#socket.write(chunk, encoding, i === chunks.length - 1 ? done : undefined)
    })
    this.#socket.uncork()
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#isReleased) done()
    else this.#socket.end(done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#lingering)
    this.#detach()
    if (!this.#isReleased) {
      this.#socket.on('error', ignore)
      this.#socket.destroy()
    }
    done(error)
  }

  #detach(): void {
    this.#socket.off('data', this.#onData)
    this.#socket.off('end', this.#onEnd)
    this.#socket.off('error', this.#onError)
    this.#socket.off('close', this.#onClose)
    this.#socket.off('timeout', this.#onTimeout)
  }

  readonly #onData = (chunk: Buffer): void => {
    if (!this.push(chunk)) this.#socket.pause()
  }

  readonly #onEnd = (): void => {
    this.#hasEnded = true
    if (this.#pendingAnswers === 0) this.push(null)
  }

  readonly #onError = (error: Error): void => void this.destroy(error)

  readonly #onClose = (): void => void this.destroy()

  readonly #onTimeout = (): void => void this.emit('timeout')
}

/** A socket that is being destroyed may still report why; nobody is there to use it. */
function ignore(): void {
  // Nothing is left to be done.
}
