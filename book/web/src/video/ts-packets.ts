/** ISO/IEC 13818-1 2.4.3.2: every packet has 188 bytes and begins with 0x47. */
export const tsPacketBytes = 188
const syncByte = 0x47

/**
 * Finds packet boundaries in a flow of bytes and hands on whole packets. Messages of the relay may begin and end
 * anywhere, and after a loss anything may come: it keeps less than two packets and throws the rest of rubbish away.
 */
export class TsPackets {
  readonly #onPacket: (packet: Uint8Array) => void
  #rest = new Uint8Array(0)
  #skippedBytes = 0

  constructor(onPacket: (packet: Uint8Array) => void) {
    this.#onPacket = onPacket
  }

  /** Bytes that belonged to no packet. */
  get skippedBytes(): number {
    return this.#skippedBytes
  }

  /** Packets are views into `bytes` where possible: keep them only as long as you may keep the message. */
  push(bytes: Uint8Array): void {
    const data = this.#rest.length === 0 ? bytes : joined(this.#rest, bytes)
    let position = 0
    while (position + tsPacketBytes <= data.length) {
      if (isPacketStart(data, position)) {
        this.#onPacket(data.subarray(position, position + tsPacketBytes))
        position += tsPacketBytes
      } else {
        position += 1
        this.#skippedBytes += 1
      }
    }
    this.#rest = data.slice(position)
  }

  /** A new link: the half packet of the old one does not continue. */
  reset(): void {
    this.#rest = new Uint8Array(0)
  }
}

/** A sync byte is a start if the next packet, as far as it is known, has one too. */
function isPacketStart(data: Uint8Array, position: number): boolean {
  if (data[position] !== syncByte) return false
  const next = data[position + tsPacketBytes]
  return next === undefined || next === syncByte
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const whole = new Uint8Array(first.length + second.length)
  whole.set(first)
  whole.set(second, first.length)
  return whole
}

/** Packet identifier, 13 bits. */
export function packetPid(packet: Uint8Array): number {
  return (((packet[1] ?? 0) & 0x1f) << 8) | (packet[2] ?? 0)
}

/** Whether a section or a PES packet begins in this packet (payload_unit_start_indicator). */
export function startsUnit(packet: Uint8Array): boolean {
  return ((packet[1] ?? 0) & 0x40) !== 0
}

/** Where the payload begins; 188 where the packet has none. */
export function payloadOffset(packet: Uint8Array): number {
  const control = (packet[3] ?? 0) & 0x30
  if ((control & 0x10) === 0) return tsPacketBytes
  return control === 0x30 ? Math.min(tsPacketBytes, 5 + (packet[4] ?? 0)) : 4
}

/** Whether the packet is filled up with stuffing: a multiplexer does so in the last packet of a picture only. */
export function hasStuffing(packet: Uint8Array): boolean {
  if (((packet[3] ?? 0) & 0x20) === 0) return false
  const length = packet[4] ?? 0
  if (length === 0) return true
  const flags = packet[5] ?? 0
  const clockBytes = ((flags & 0x10) === 0 ? 0 : 6) + ((flags & 0x08) === 0 ? 0 : 6)
  // Splice points, private data and extensions are not looked into: packets with them are not taken for stuffed.
  return (flags & 0x07) === 0 && length > 1 + clockBytes
}
