import type { Cancel, Clock } from '@relay/common/clock'
import type { WebSocket } from 'ws'
import type { FeedHub, Member, Message } from '../feeds/feed-hub.ts'

export interface LocalClientOptions {
  readonly name: string
  /** A feed, or a stream, from which one only hears. */
  readonly feed: string
  /** What may wait for this client; beyond it messages are dropped whole, and counted. */
  readonly maxBufferedBytes: number
  readonly pingEveryMs: number
  /** A client whose last pong is older than this is cut off. */
  readonly pongWithinMs: number
}

export interface LocalClientDeps {
  readonly socket: WebSocket
  readonly hub: FeedHub
  readonly clock: Clock
  /** A message was lost because this client reads too slowly. */
  readonly onDrop: () => void
}

/** What one local websocket client got, sent and lost so far. */
export interface LocalClientCounters {
  readonly feed: string
  readonly sentMessages: number
  readonly receivedMessages: number
  readonly droppedMessages: number
  readonly droppedBytes: number
}

const binaryFrame = { binary: true } as const
const textFrame = { binary: false } as const
/** What a waiting message costs beside its own bytes. */
const overheadBytes = 256
/** After this the socket is cut, be the closing handshake over or not. */
const closeTimeoutMs = 1_000

/**
 * One websocket on `/ws/<feed>` (spec session 7.5): what it sends goes to the feed, what the feed has goes to it, with
 * the kind of each message kept.
 *
 * Invariants: a message is sent whole or not at all, in order; what waits for a client that does not read is bounded
 * in bytes, the books about it included; one message is always taken where nothing waits; everything is released when
 * the socket closes.
 */
export class LocalClient implements Member {
  readonly name: string
  readonly feed: string
  readonly closed: Promise<void>
  readonly #options: LocalClientOptions
  readonly #socket: WebSocket
  readonly #clock: Clock
  readonly #onDrop: () => void
  #waiting = 0
  #sentMessages = 0
  #receivedMessages = 0
  #droppedMessages = 0
  #droppedBytes = 0
  #lastPongMs: number
  #cancelPing: Cancel
  #cancelCheck: Cancel

  constructor(options: LocalClientOptions, { socket, hub, clock, onDrop }: LocalClientDeps) {
    this.name = options.name
    this.feed = options.feed
    this.#options = options
    this.#socket = socket
    this.#clock = clock
    this.#onDrop = onDrop
    this.#lastPongMs = clock.monotonicMs()
    this.#cancelPing = clock.after(options.pingEveryMs, this.#ping)
    this.#cancelCheck = clock.after(options.pongWithinMs, this.#checkPong)
    const leave = hub.join(options.feed, this)
    socket.on('message', (data: Buffer, binary: boolean) => {
      this.#receivedMessages += 1
      hub.publish(options.feed, { data, binary }, this)
    })
    socket.on('pong', () => {
      this.#lastPongMs = clock.monotonicMs()
    })
    // The close that follows says all: a peer that broke the protocol or went away.
    socket.on('error', () => undefined)
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        leave()
        this.#cancelPing()
        this.#cancelCheck()
        resolve()
      })
    })
  }

  get counters(): LocalClientCounters {
    return {
      feed: this.feed,
      sentMessages: this.#sentMessages,
      receivedMessages: this.#receivedMessages,
      droppedMessages: this.#droppedMessages,
      droppedBytes: this.#droppedBytes,
    }
  }

  deliver({ data, binary }: Message): void {
    const socket = this.#socket
    if (socket.readyState !== socket.OPEN) return
    const bufferedBytes = socket.bufferedAmount + (this.#waiting + 1) * overheadBytes + data.length
    if (this.#waiting > 0 && bufferedBytes > this.#options.maxBufferedBytes) {
      this.#droppedMessages += 1
      this.#droppedBytes += data.length
      this.#onDrop()
      return
    }
    this.#waiting += 1
    this.#sentMessages += 1
    socket.send(data, binary ? binaryFrame : textFrame, this.#onWritten)
  }

  /** Says goodbye, and cuts a client that does not answer. Resolves once the socket is closed. */
  async close(): Promise<void> {
    this.#socket.close(1001)
    const cancel = this.#clock.after(closeTimeoutMs, () => this.#socket.terminate())
    await this.closed
    cancel()
  }

  readonly #onWritten = (): void => {
    this.#waiting -= 1
  }

  readonly #ping = (): void => {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping()
    this.#cancelPing = this.#clock.after(this.#options.pingEveryMs, this.#ping)
  }

  readonly #checkPong = (): void => {
    const leftMs = this.#lastPongMs + this.#options.pongWithinMs - this.#clock.monotonicMs()
    if (leftMs > 0) this.#cancelCheck = this.#clock.after(leftMs, this.#checkPong)
    else this.#socket.terminate()
  }
}
