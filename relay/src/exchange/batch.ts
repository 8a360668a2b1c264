import {
  type BINARY,
  frameHeaderLength,
  TEXT,
  writeFrameHeader,
} from '@relay/common/server/websocket/frame-header'
import type { RetainedAccount } from './retained-bytes.ts'

/** Objects and arrays around the bytes of a batch, and of each message in it. */
const batchOverheadBytes = 512
const messageOverheadBytes = 16

/** A whole message as it came in; the payload is only borrowed until the batch is built. */
export interface Message {
  /** Who must not hear it; undefined for the relay itself. */
  readonly sender: object | undefined
  readonly opcode: typeof TEXT | typeof BINARY
  readonly payload: Uint8Array
}

/**
 * Messages of one turn of the event loop, each as one unmasked websocket frame, back to back in one buffer that all
 * readers share. Boundaries, order and opcodes are kept: joining is for the kernel, not for the receiver.
 *
 * Invariants: `ends[i]` is where frame `i` ends; the buffer is never written again.
 */
export class Batch {
  readonly bytes: Buffer
  readonly ends: readonly number[]
  readonly senders: readonly (object | undefined)[]
  /** The sender of every message, where it is one and the same. */
  readonly soleSender: object | undefined
  readonly isMixed: boolean
  /** Payloads alone, without frame headers. */
  readonly payloadBytes: number
  /** Readers that keep it waiting; only `OutboundQueue` changes it. */
  holders = 0

  /** The topic's, while somebody keeps the batch. */
  readonly account: RetainedAccount

  constructor(messages: readonly Message[], account: RetainedAccount = { bytes: 0 }) {
    this.account = account
    const first = messages[0]?.sender
    let length = 0
    let payloadBytes = 0
    let isMixed = false
    for (const { sender, payload } of messages) {
      length += frameHeaderLength(payload.length) + payload.length
      payloadBytes += payload.length
      if (sender !== first) isMixed = true
    }
    const bytes = Buffer.allocUnsafe(length)
    const ends: number[] = []
    const senders: (object | undefined)[] = []
    let at = 0
    for (const { sender, opcode, payload } of messages) {
      at = writeFrameHeader(bytes, at, { opcode, isFinal: true, payloadLength: payload.length })
      bytes.set(payload, at)
      at += payload.length
      ends.push(at)
      senders.push(sender)
    }
    this.bytes = bytes
    this.ends = ends
    this.senders = senders
    this.soleSender = isMixed ? undefined : first
    this.isMixed = isMixed
    this.payloadBytes = payloadBytes
  }

  /** What it takes of memory while somebody keeps it, roughly. */
  get memoryBytes(): number {
    return this.bytes.length + batchOverheadBytes + this.ends.length * messageOverheadBytes
  }

  get count(): number {
    return this.ends.length
  }

  /** Where frame `index` starts. */
  start(index: number): number {
    return index === 0 ? 0 : (this.ends[index - 1] ?? 0)
  }

  /** Where frame `index` ends. */
  end(index: number): number {
    return this.ends[index] ?? this.bytes.length
  }

  isText(index: number): boolean {
    return ((this.bytes[this.start(index)] ?? 0) & 0x0f) === TEXT
  }

  /** Payload of the frames `[from, to)` in bytes. */
  payloadBytesOf(from: number, to: number): number {
    if (from === 0 && to === this.count) return this.payloadBytes
    let sum = 0
    for (let index = from; index < to; index++) {
      const frame = this.end(index) - this.start(index)
      sum += frame - headerLengthWithin(frame)
    }
    return sum
  }
}

/** Length of the header in a whole frame. */
function headerLengthWithin(frameLength: number): number {
  if (frameLength < 128) return 2
  return frameLength < 65_540 ? 4 : 10
}
