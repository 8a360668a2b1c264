import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'

/** How long a connection that was answered and ended may go on sending before it is cut. */
const lingerMs = 1_000
const nothing = Buffer.alloc(0)

/** One request of a connection and its answer to be. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

interface Turn {
  readonly exchange: Exchange
  readonly serve: () => void
}

/**
 * A socket as the HTTP server sees it. It stands between because the parser of Node refuses the method UPDATE, which
 * the old host knows (spec session 7.1): the connection can be taken back from a parser that failed, bytes included,
 * and given to a new one. Websockets get the bare socket by `release`.
 *
 * The socket has a listener for errors of its owner's: this one's leaves with it.
 *
 * Invariants: every byte of the socket is read once, by this or by its successor; destroying this destroys the
 * socket unless it was released; requests are served one after the other; the end of the input is passed on at once
 * where a request is cut off by it, else only when all are answered.
 */
export class LocalConnection extends Duplex {
  readonly #socket: Socket
  #isReleased = false
  #hasEnded = false
  /** The first one is being served. */
  readonly #turns: Turn[] = []
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

  /** Runs `serve` once every earlier request of this connection has got its answer. */
  serveInTurn(exchange: Exchange, serve: () => void): void {
    this.#turns.push({ exchange, serve })
    exchange.response.once('close', () => {
      this.#turns.shift()
      this.#turns[0]?.serve()
      if (this.#turns.length > 0) return
      this.#onAnswered?.()
      if (this.#hasEnded && !this.#isReleased) this.push(null)
    })
    if (this.#turns.length === 1) serve()
  }

  /** Runs `action` once no request of this connection waits for an answer. */
  whenAnswered(action: () => void): void {
    if (this.#turns.length === 0) action()
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
    if (!this.#isReleased) this.#socket.destroy()
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
    // A request that is whole gets its answer, even if the client has closed its side after asking.
    if (this.#turns.every(({ exchange }) => !exchange.request.complete)) this.push(null)
  }

  readonly #onError = (error: Error): void => void this.destroy(error)

  readonly #onClose = (): void => void this.destroy()

  readonly #onTimeout = (): void => void this.emit('timeout')
}
