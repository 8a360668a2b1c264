import type { Socket } from 'node:net'
import type { RawData, WebSocket } from 'ws'

/** What an old end did to the bytes of one connection. */
export interface PumpFacts {
  /** Bytes from TCP that it threw away (spec shell B3, B5, B6). */
  droppedBytes: number
  /** The direction from TCP to the websocket ended for good (the v0.2.2 host after a stall of 1 s). */
  isDead: boolean
}

const quietMs = 1
const maxMessageBytes = 1024 * 1024
const maxFrameBytes = 4096
const stallMs = 1000
const jumpMessageBytes = 65_535

/**
 * TCP to websocket as v0.2.2 does it (spec shell 6): everything that was read is one message once no read came for 1 ms, at
 * most 1 MiB of it, and the rest is lost. A message that cannot be handed to the writer for 1 s is dropped by a client, and
 * ends the direction at a host. Frames have at most 4096 bytes.
 *
 * Invariant: at most one message is being written, and at most one waits to be.
 */
export class FramingPump {
  readonly facts: PumpFacts = { droppedBytes: 0, isDead: false }
  readonly #onStall: 'drop' | 'stop'
  #socket: WebSocket | undefined
  #read: Buffer[] = []
  #readBytes = 0
  #flushTimer: NodeJS.Timeout | undefined
  #isWriting = false
  #waiting: Buffer | undefined
  #stallTimer: NodeJS.Timeout | undefined

  constructor(tcp: Socket, { onStall }: { readonly onStall: 'drop' | 'stop' }) {
    this.#onStall = onStall
    tcp.on('data', (chunk: Buffer) => this.#onRead(chunk))
  }

  /** The websocket opened, or was opened anew: what waits is written to it. */
  attach(socket: WebSocket): void {
    this.#socket = socket
    this.#isWriting = false
    this.#write()
  }

  detach(): void {
    this.#socket = undefined
  }

  stop(): void {
    clearTimeout(this.#flushTimer)
    clearTimeout(this.#stallTimer)
    this.#socket = undefined
    this.facts.isDead = true
  }

  #onRead(chunk: Buffer): void {
    if (this.facts.isDead) return
    this.#read.push(chunk)
    this.#readBytes += chunk.length
    // The loop that sends is the one that waits to hand over: it does not look at new bytes meanwhile.
    if (this.#waiting === undefined) this.#flushSoon()
  }

  #flushSoon(): void {
    clearTimeout(this.#flushTimer)
    this.#flushTimer = setTimeout(() => this.#flush(), quietMs)
  }

  #flush(): void {
    if (this.#readBytes === 0 || this.#waiting !== undefined) return
    const all = Buffer.concat(this.#read)
    this.#read = []
    this.#readBytes = 0
    this.facts.droppedBytes += Math.max(0, all.length - maxMessageBytes)
    this.#waiting = all.subarray(0, maxMessageBytes)
    this.#stallTimer = setTimeout(() => this.#onStalled(), stallMs)
    this.#write()
  }

  #onStalled(): void {
    this.facts.droppedBytes += this.#waiting?.length ?? 0
    this.#waiting = undefined
    if (this.#onStall === 'stop') this.facts.isDead = true
    else this.#flushSoon()
  }

  #write(): void {
    const message = this.#waiting
    const socket = this.#socket
    if (message === undefined || socket === undefined || this.#isWriting) return
    clearTimeout(this.#stallTimer)
    this.#waiting = undefined
    this.#isWriting = true
    for (let from = 0; from < message.length; from += maxFrameBytes) {
      const isLast = from + maxFrameBytes >= message.length
      const frame = message.subarray(from, from + maxFrameBytes)
      socket.send(frame, { binary: true, fin: isLast }, () => {
        if (!isLast || this.#socket !== socket) return
        this.#isWriting = false
        this.#write()
      })
    }
    if (this.#readBytes > 0) this.#flushSoon()
  }
}

/** TCP to websocket as the newer programs do it: each read is a message of at most 65,535 bytes, and writing may wait. */
export function pumpToWebsocket(tcp: Socket, socket: WebSocket): void {
  tcp.on('data', (chunk: Buffer) => {
    tcp.pause()
    for (let from = 0; from < chunk.length; from += jumpMessageBytes) {
      const isLast = from + jumpMessageBytes >= chunk.length
      socket.send(chunk.subarray(from, from + jumpMessageBytes), { binary: true }, () => {
        if (isLast) tcp.resume()
      })
    }
  })
}

/**
 * Websocket to TCP: one write for each message, the next message only when it is done; errors are ignored. The newer
 * programs pass text over.
 */
export function pumpToTcp(
  socket: WebSocket,
  tcp: Socket,
  { takesText }: { readonly takesText: boolean },
): void {
  socket.on('message', (data: RawData, isBinary: boolean) => {
    if ((!isBinary && !takesText) || tcp.destroyed) return
    if (tcp.write(messageBytes(data))) return
    socket.pause()
    tcp.once('drain', () => socket.resume())
  })
}

/** The bytes of a message, in whatever form the library gives them. */
export function messageBytes(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data)
  return Buffer.isBuffer(data) ? data : Buffer.from(data)
}
