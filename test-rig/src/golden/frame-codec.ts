import { randomBytes } from 'node:crypto'
import { AppError } from '@relay/common/errors'

/** Opcodes of RFC 6455 section 5.2. */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

/** One frame as it stood on the wire, payload unmasked. */
export interface Frame {
  readonly isFinal: boolean
  /** The three reserved bits; any but 0 means an extension that nobody agreed on. */
  readonly reserved: number
  readonly opcode: number
  readonly masked: boolean
  readonly payload: Buffer
}

export interface FrameToSend {
  readonly opcode: number
  readonly payload: Uint8Array
  /** True when absent. */
  readonly isFinal?: boolean
  /** Clients mask, servers do not (RFC 6455 section 5.1). */
  readonly masked: boolean
}

/** The longest payload a peer of ours takes: ten times what the relay lets through. */
const maxPayloadBytes = 100 * 1024 * 1024

/** The bytes of one frame. */
export function encodeFrame({ opcode, payload, isFinal = true, masked }: FrameToSend): Buffer {
  const lengthBytes = payload.length < 126 ? 0 : payload.length < 65_536 ? 2 : 8
  const maskBytes = masked ? 4 : 0
  const frame = Buffer.allocUnsafe(2 + lengthBytes + maskBytes + payload.length)
  frame[0] = (isFinal ? 0x80 : 0) | opcode
  const shortLength = lengthBytes === 0 ? payload.length : lengthBytes === 2 ? 126 : 127
  frame[1] = (masked ? 0x80 : 0) | shortLength
  if (lengthBytes === 2) frame.writeUInt16BE(payload.length, 2)
  if (lengthBytes === 8) frame.writeBigUInt64BE(BigInt(payload.length), 2)
  const start = 2 + lengthBytes + maskBytes
  frame.set(payload, start)
  if (masked) {
    const key = randomBytes(4)
    frame.set(key, start - 4)
    applyMask(frame.subarray(start), key)
  }
  return frame
}

/**
 * Cuts a byte stream into frames. It does not judge what a peer may send (control frames in pieces, reserved bits):
 * that is for whoever reads the frames.
 */
export class FrameParser {
  readonly #chunks: Buffer[] = []
  #bufferedBytes = 0

  /** The frames that are complete now. Throws `GOLDEN_FRAME` for a length nobody can mean. */
  push(chunk: Buffer): readonly Frame[] {
    this.#chunks.push(chunk)
    this.#bufferedBytes += chunk.length
    const frames: Frame[] = []
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) frames.push(frame)
    return frames
  }

  #next(): Frame | undefined {
    const head = this.#peek(14)
    const [first, second] = head
    if (first === undefined || second === undefined) return undefined
    const shortLength = second & 0x7f
    const lengthBytes = shortLength === 126 ? 2 : shortLength === 127 ? 8 : 0
    const maskBytes = (second & 0x80) === 0 ? 0 : 4
    const headBytes = 2 + lengthBytes + maskBytes
    if (head.length < headBytes) return undefined
    const payloadBytes =
      lengthBytes === 0 ? shortLength : head.readUIntBE(lengthBytes === 2 ? 2 : 4, lengthBytes === 2 ? 2 : 6)
    if (payloadBytes > maxPayloadBytes) {
      throw new AppError(
        'GOLDEN_FRAME',
        `frame of ${String(payloadBytes)} bytes is longer than any peer sends`,
      )
    }
    if (this.#bufferedBytes < headBytes + payloadBytes) return undefined
    const whole = this.#take(headBytes + payloadBytes)
    const payload = whole.subarray(headBytes)
    if (maskBytes > 0) applyMask(payload, whole.subarray(headBytes - 4, headBytes))
    return {
      isFinal: (first & 0x80) !== 0,
      reserved: (first >> 4) & 7,
      opcode: first & 0x0f,
      masked: maskBytes > 0,
      payload,
    }
  }

  /** The first bytes without taking them, fewer where fewer are there. Looks at no more chunks than it needs. */
  #peek(bytes: number): Buffer {
    const first = this.#chunks[0]
    if (first === undefined || first.length >= bytes) return first?.subarray(0, bytes) ?? Buffer.alloc(0)
    const needed: Buffer[] = []
    let neededBytes = 0
    for (const chunk of this.#chunks) {
      if (neededBytes >= bytes) break
      needed.push(chunk)
      neededBytes += chunk.length
    }
    return Buffer.concat(needed, Math.min(bytes, neededBytes))
  }

  /** A copy, so that unmasking never writes into what somebody else holds. */
  #take(bytes: number): Buffer {
    const taken = Buffer.allocUnsafe(bytes)
    let filled = 0
    let used = 0
    for (const chunk of this.#chunks) {
      if (filled + chunk.length > bytes) break
      taken.set(chunk, filled)
      filled += chunk.length
      used += 1
    }
    const cut = this.#chunks[used]
    if (filled < bytes && cut !== undefined) {
      taken.set(cut.subarray(0, bytes - filled), filled)
      this.#chunks[used] = cut.subarray(bytes - filled)
    }
    this.#chunks.splice(0, used)
    this.#bufferedBytes -= bytes
    return taken
  }
}

function applyMask(bytes: Buffer, key: Uint8Array): void {
  const [a = 0, b = 0, c = 0, d = 0] = key
  const keys = [a, b, c, d]
  for (let index = 0; index < bytes.length; index += 1) {
    bytes[index] = (bytes[index] ?? 0) ^ (keys[index & 3] ?? 0)
  }
}
