import { payloadOffset, startsUnit } from './ts-packets.ts'

/** Times run at 90 kHz in 33 bits (ISO/IEC 13818-1 2.4.3.7). */
const ticksPerMs = 90

/** A pause of the camera; a longer jump is a new beginning. */
const toleratedForwardMs = 10_000

/**
 * When the picture that begins in this packet is to be decoded: its DTS, or its PTS where the two are the same. Undefined
 * where none begins or it does not say.
 */
export function readDecodeTimeMs(packet: Uint8Array): number | undefined {
  if (!startsUnit(packet)) return undefined
  const header = packet.subarray(payloadOffset(packet))
  const hasPrefix = header[0] === 0 && header[1] === 0 && header[2] === 1
  const flags = header[7] ?? 0
  if (!hasPrefix || (flags & 0x80) === 0) return undefined
  return readTicks(header.subarray((flags & 0x40) === 0 ? 9 : 14)) / ticksPerMs
}

/** The top bits are multiplied: 33 bits do not fit into JavaScript's shifts. */
function readTicks([a = 0, b = 0, c = 0, d = 0, e = 0]: Iterable<number>): number {
  return ((a >> 1) & 0x07) * 2 ** 30 + (((b << 8) | c) >> 1) * 2 ** 15 + (((d << 8) | e) >> 1)
}

/**
 * Whether one decoding time can follow the other. They ascend within a stream; otherwise the camera has begun anew (or
 * the 33 bits have run over, once in 26 hours).
 */
export function isContinuous(beforeMs: number, nextMs: number): boolean {
  return nextMs >= beforeMs && nextMs < beforeMs + toleratedForwardMs
}
