/** Opcodes of RFC 6455 5.2. */
export const CONTINUATION = 0
export const TEXT = 1
export const BINARY = 2

export type FrameOpcode = typeof CONTINUATION | typeof TEXT | typeof BINARY

/** Length of an unmasked frame header in front of `payloadLength` bytes (RFC 6455 5.2). Pure. */
export function frameHeaderLength(payloadLength: number): number {
  if (payloadLength < 126) return 2
  return payloadLength < 65_536 ? 4 : 10
}

export interface FrameStart {
  readonly opcode: FrameOpcode
  /** No frame of the same message follows. */
  readonly isFinal: boolean
  readonly payloadLength: number
}

/** Writes the header of an unmasked frame into `bytes` and gives the place behind it. */
export function writeFrameHeader(
  bytes: Buffer,
  at: number,
  { opcode, isFinal, payloadLength }: FrameStart,
): number {
  bytes[at] = isFinal ? 0x80 | opcode : opcode
  if (payloadLength < 126) {
    bytes[at + 1] = payloadLength
    return at + 2
  }
  if (payloadLength < 65_536) {
    bytes[at + 1] = 126
    bytes.writeUInt16BE(payloadLength, at + 2)
    return at + 4
  }
  bytes[at + 1] = 127
  bytes.writeUIntBE(0, at + 2, 2)
  bytes.writeUIntBE(payloadLength, at + 4, 6)
  return at + 10
}
