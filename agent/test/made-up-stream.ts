import { TS_PACKET_BYTES } from '../src/video/ts-cutter.ts'

/** MPEG-TS as a multiplexer writes it, for tests: every field that the cutter looks at can be chosen. */
export interface MadeUpFrame {
  /** Bytes of the picture. */
  readonly bytes: number
  readonly isKey: boolean
  /** The PES packet tells its length. */
  readonly tellsLength: boolean
}

const PID_VIDEO = 0x100
const PID_SOUND = 0x101
const PID_PMT = 0x1000
const pesHeaderBytes = 14

/** Packets of one frame: tables before a key frame, the last packet filled up by stuffing. */
export function framePackets({ bytes, isKey, tellsLength }: MadeUpFrame): Buffer {
  const pes = Buffer.alloc(pesHeaderBytes + bytes, 0x47)
  pes.writeUIntBE(0x000001e0, 0, 4)
  pes.writeUInt16BE(tellsLength ? pes.length - 6 : 0, 4)
  const packets: Buffer[] = isKey ? [tablePacket(0x11), tablePacket(0), tablePacket(PID_PMT)] : []
  let offset = 0
  while (offset < pes.length) {
    const isFirst = offset === 0
    const room = TS_PACKET_BYTES - 4 - (isFirst ? 8 : 0)
    const taken = Math.min(room, pes.length - offset)
    packets.push(packet(pes.subarray(offset, offset + taken), { isFirst, isKey: isFirst && isKey }))
    offset += taken
  }
  return Buffer.concat(packets)
}

/** One packet of sound, marked as a place to begin, as ffmpeg marks all of them. */
export function soundPacket(bytes: number): Buffer {
  const pes = Buffer.alloc(pesHeaderBytes + bytes, 0x55)
  pes.writeUIntBE(0x000001c0, 0, 4)
  pes.writeUInt16BE(pes.length - 6, 4)
  const made = packet(pes, { isFirst: true, isKey: true })
  made.writeUInt16BE(0x4000 | PID_SOUND, 1)
  return made
}

/** A packet that is no part of a frame: a table, whose content nobody looks at. */
export function tablePacket(pid: number): Buffer {
  const bytes = Buffer.alloc(TS_PACKET_BYTES, 0xff)
  bytes[0] = 0x47
  bytes.writeUInt16BE(0x4000 | pid, 1)
  bytes[3] = 0x10
  bytes[4] = 0
  return bytes
}

/** The first packet of a frame has a clock (PCR), so it always has an adaptation field. */
function packet(
  payload: Buffer,
  { isFirst, isKey }: { readonly isFirst: boolean; readonly isKey: boolean },
): Buffer {
  const bytes = Buffer.alloc(TS_PACKET_BYTES, 0xff)
  bytes[0] = 0x47
  bytes.writeUInt16BE((isFirst ? 0x4000 : 0) | PID_VIDEO, 1)
  const adaptation = TS_PACKET_BYTES - 4 - payload.length
  bytes[3] = adaptation > 0 ? 0x30 : 0x10
  if (adaptation > 0) {
    bytes[4] = adaptation - 1
    if (adaptation > 1) bytes[5] = (isFirst ? 0x10 : 0) | (isKey ? 0x40 : 0)
  }
  payload.copy(bytes, TS_PACKET_BYTES - payload.length)
  return bytes
}
