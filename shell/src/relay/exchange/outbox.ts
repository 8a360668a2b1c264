import {
  type BINARY,
  CONTINUATION,
  type FrameOpcode,
  type FrameStart,
  frameHeaderLength,
  TEXT,
  writeFrameHeader,
} from '@relay/common/server/websocket/frame-header'
import { MAX_MESSAGE_BYTES } from '@relay/common/tunnel/tunnel-protocol'

/** The part of a TCP socket that is written to. */
export interface ByteSink {
  readonly writableLength: number
  /** The socket is full: it asked to wait for `drain`. */
  readonly writableNeedDrain: boolean
  write(bytes: Uint8Array): boolean
  cork(): void
  uncork(): void
}

/** All outboxes together. */
export interface OutboxTotals {
  /** What is kept in them, in bytes of memory. */
  waitingBytes: number
  /** Of what was taken in, what had waited and was given up, in bytes. */
  droppedBytes: number
}

/** Takes note of an outbox that has written, and calls its `endTurn` once this turn of the event loop is over. */
export interface TurnEnd {
  add(outbox: Outbox): void
}

/**
 * A message goes out in frames of at most so much, so that pings and closes find their place between them. No less than
 * our own ends send: a message in two frames costs its receiver a copy.
 */
const maxFrameBytes = MAX_MESSAGE_BYTES
/** Up to here one copy is cheaper than two pieces. */
const maxJoinedBytes = 4096
/** What a frame that waits costs of memory beyond its payload: tiny messages must not outgrow the limits. */
export const frameOverheadBytes = 256
/** Places of frames that were written are given back from here on, once they are half of all. */
const tidyFrom = 512

const nothing = Buffer.alloc(0)

/**
 * What is on its way to one link: whole frames in order, to the socket as long as that takes them, else kept here.
 * Until the link is there everything is kept.
 *
 * Invariants: bytes leave in the order in which they came, each once; the socket only ever holds whole frames; nothing
 * is given to a socket that is full; `waitingBytes` is what is kept here, and its part of the common totals.
 */
export class Outbox {
  readonly #totals: OutboxTotals
  readonly #turnEnd: TurnEnd
  #sink: ByteSink | undefined
  #isCorked = false
  #isClosed = false
  /** Header and payload of each frame in turn; what lies before `#next` has been written. */
  readonly #waiting: Uint8Array[] = []
  #next = 0
  #waitingBytes = 0
  #blockedSinceMs = -1
  /** What was taken in, over all. */
  messages = 0
  bytes = 0
  /** Monotonic time of the last message; -1 for never. */
  lastMs = -1

  constructor(totals: OutboxTotals, turnEnd: TurnEnd) {
    this.#totals = totals
    this.#turnEnd = turnEnd
  }

  /** What is kept here, in bytes of memory. */
  get waitingBytes(): number {
    return this.#waitingBytes
  }

  /** Everything is with the socket. */
  get isEmpty(): boolean {
    return this.#next === this.#waiting.length
  }

  /** Since when the socket has taken nothing, on the monotonic clock; -1 while it is not full. */
  get blockedSinceMs(): number {
    return this.#blockedSinceMs
  }

  /** The link is there: what has waited goes out, behind the text `first`. */
  attach(sink: ByteSink, nowMs: number, first?: string): void {
    if (first !== undefined) {
      const payload = Buffer.from(first)
      this.#write(
        sink,
        joinedFrame(payload, { opcode: TEXT, isFinal: true, payloadLength: payload.length }),
        nothing,
        nowMs,
      )
    }
    this.#sink = sink
    this.#writeWaiting(sink, nowMs)
  }

  /** Takes a message; the payload is not copied if it is long, and must not be written again. */
  offer(payload: Uint8Array, opcode: typeof TEXT | typeof BINARY, nowMs: number): void {
    if (this.#isClosed) return
    this.messages += 1
    this.bytes += payload.length
    this.lastMs = nowMs
    const { length } = payload
    if (length <= maxFrameBytes) {
      this.#offerFrame(payload, { opcode, isFinal: true, payloadLength: length }, nowMs)
      return
    }
    let frameOpcode: FrameOpcode = opcode
    for (let at = 0; at < length; at += maxFrameBytes) {
      const piece = payload.subarray(at, at + maxFrameBytes)
      const isFinal = at + maxFrameBytes >= length
      this.#offerFrame(piece, { opcode: frameOpcode, isFinal, payloadLength: piece.length }, nowMs)
      frameOpcode = CONTINUATION
    }
  }

  /** The socket took everything: goes on with what waits. */
  drained(nowMs: number): void {
    this.#blockedSinceMs = -1
    if (this.#sink !== undefined && !this.#isClosed) this.#writeWaiting(this.#sink, nowMs)
  }

  /** The turn is over: what was written leaves together. */
  endTurn(): void {
    this.#isCorked = false
    this.#sink?.uncork()
  }

  /** Nothing more is taken, and what waits is given up. */
  close(): void {
    this.#isClosed = true
    const frames = (this.#waiting.length - this.#next) / 2
    this.#totals.droppedBytes += this.#waitingBytes - frames * frameOverheadBytes
    this.#waiting.length = 0
    this.#next = 0
    this.#count(-this.#waitingBytes)
  }

  #offerFrame(payload: Uint8Array, start: FrameStart, nowMs: number): void {
    const isJoined = payload.length <= maxJoinedBytes
    const head = isJoined ? joinedFrame(payload, start) : headerOf(start)
    const rest = isJoined ? nothing : payload
    const sink = this.#sink
    if (sink !== undefined && this.isEmpty && !sink.writableNeedDrain) {
      this.#write(sink, head, rest, nowMs)
    } else {
      this.#waiting.push(head, rest)
      this.#count(head.length + rest.length + frameOverheadBytes)
    }
  }

  #write(sink: ByteSink, head: Uint8Array, rest: Uint8Array, nowMs: number): void {
    if (!this.#isCorked) {
      this.#isCorked = true
      sink.cork()
      this.#turnEnd.add(this)
    }
    sink.write(head)
    if (rest.length > 0) sink.write(rest)
    if (sink.writableNeedDrain && this.#blockedSinceMs < 0) this.#blockedSinceMs = nowMs
  }

  #writeWaiting(sink: ByteSink, nowMs: number): void {
    const waiting = this.#waiting
    while (this.#next < waiting.length && !sink.writableNeedDrain) {
      const head = waiting[this.#next] ?? nothing
      const rest = waiting[this.#next + 1] ?? nothing
      waiting[this.#next] = nothing
      waiting[this.#next + 1] = nothing
      this.#next += 2
      this.#count(-(head.length + rest.length + frameOverheadBytes))
      this.#write(sink, head, rest, nowMs)
    }
    if (this.isEmpty) {
      waiting.length = 0
      this.#next = 0
    } else if (this.#next >= tidyFrom && this.#next * 2 >= waiting.length) {
      waiting.splice(0, this.#next)
      this.#next = 0
    }
  }

  #count(bytes: number): void {
    this.#waitingBytes += bytes
    this.#totals.waitingBytes += bytes
  }
}

function headerOf(start: FrameStart): Buffer {
  const header = Buffer.allocUnsafe(frameHeaderLength(start.payloadLength))
  writeFrameHeader(header, 0, start)
  return header
}

function joinedFrame(payload: Uint8Array, start: FrameStart): Buffer {
  const headerLength = frameHeaderLength(payload.length)
  const bytes = Buffer.allocUnsafe(headerLength + payload.length)
  writeFrameHeader(bytes, 0, start)
  bytes.set(payload, headerLength)
  return bytes
}
