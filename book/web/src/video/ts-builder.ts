import { tsPacketBytes } from './ts-packets.ts'
import { crc32Mpeg } from './ts-program-map.ts'

/** Makes transport streams for tests; the page itself never writes one. */
export interface ElementaryStream {
  readonly streamType: number
  readonly pid: number
  readonly descriptorBytes?: number
}

/** Payload in packets of one PID; the last one is filled up with adaptation field stuffing. */
export function packetsOf(pid: number, payload: Uint8Array): Uint8Array[] {
  const packets: Uint8Array[] = []
  for (let from = 0; from < payload.length || from === 0; from += tsPacketBytes - 4) {
    const part = payload.subarray(from, from + tsPacketBytes - 4)
    const packet = new Uint8Array(tsPacketBytes).fill(0xff)
    const missing = tsPacketBytes - 4 - part.length
    packet.set([0x47, (from === 0 ? 0x40 : 0) | (pid >> 8), pid & 0xff, missing > 0 ? 0x30 : 0x10])
    if (missing > 0) packet[4] = missing - 1
    if (missing > 1) packet[5] = 0
    packet.set(part, tsPacketBytes - part.length)
    packets.push(packet)
  }
  return packets
}

/** A section behind its pointer field, with a CRC. */
function section(tableId: number, body: readonly number[]): Uint8Array {
  const length = body.length + 4
  const head = [tableId, 0xb0 | (length >> 8), length & 0xff, ...body]
  const crc = crc32Mpeg(Uint8Array.from(head))
  return Uint8Array.from([0, ...head, crc >>> 24, (crc >> 16) & 0xff, (crc >> 8) & 0xff, crc & 0xff])
}

export function patPackets(pmtPid: number): Uint8Array[] {
  // A network information entry first, as program 0 is allowed to come before the others.
  return packetsOf(
    0,
    section(0, [0, 1, 0xc1, 0, 0, 0, 0, 0xe0, 0x10, 0, 1, 0xe0 | (pmtPid >> 8), pmtPid & 0xff]),
  )
}

export function pmtPackets(pmtPid: number, streams: readonly ElementaryStream[]): Uint8Array[] {
  // With a descriptor of the whole program, as some multiplexers write one.
  const body = [0, 1, 0xc1, 0, 0, 0xe1, 0, 0xf0, 3, 0x0e, 1, 0xff]
  for (const { streamType, pid, descriptorBytes = 0 } of streams) {
    body.push(
      streamType,
      0xe0 | (pid >> 8),
      pid & 0xff,
      0xf0 | (descriptorBytes >> 8),
      descriptorBytes & 0xff,
    )
    for (let i = 0; i < descriptorBytes; i += 1) body.push(0x1b)
  }
  return packetsOf(pmtPid, section(2, body))
}

/** A PES packet of video with these bytes. */
export function picturePackets(pid: number, bytes: Uint8Array): Uint8Array[] {
  const header = [0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5, 0x21, 0, 1, 0, 1]
  return packetsOf(pid, Uint8Array.from([...header, ...bytes]))
}

export function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let position = 0
  for (const part of parts) {
    whole.set(part, position)
    position += part.length
  }
  return whole
}
