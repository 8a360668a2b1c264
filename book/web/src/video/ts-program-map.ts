import { packetPid, payloadOffset, startsUnit } from './ts-packets.ts'

/** What the stream says of itself. */
export interface VideoProgram {
  readonly codec: 'mpeg1' | 'h264' | 'other'
  /** PID of the video. */
  readonly pid: number
  /** As in the program map (ISO/IEC 13818-1 table 2-34). */
  readonly streamType: number
}

const patPid = 0
const pmtTableId = 2
/** A section has at most 1021 bytes after its length (2.4.4.9), 1024 in all. */
const maxSectionBytes = 1024

const codecByStreamType = new Map<number, VideoProgram['codec']>([
  [0x01, 'mpeg1'],
  // ffmpeg writes 0x02 (MPEG-2 video) for MPEG-1 as well; jsmpeg decodes only what MPEG-1 allows.
  [0x02, 'mpeg1'],
  [0x1b, 'h264'],
  [0x10, 'other'],
  [0x24, 'other'],
  [0x33, 'other'],
  [0x42, 'other'],
  [0xd1, 'other'],
  [0xea, 'other'],
])

/**
 * Reads the program association and program map tables of a transport stream (ISO/IEC 13818-1 2.4.4) and tells the
 * first video of the first program. Sections may be spread over packets; damaged ones (CRC) are left out.
 */
export class TsProgramMap {
  readonly #pat = new SectionCollector()
  readonly #pmt = new SectionCollector()
  #pmtPid: number | undefined
  #video: VideoProgram | undefined

  /** Undefined until both tables came. */
  get video(): VideoProgram | undefined {
    return this.#video
  }

  /** Takes every packet of the stream; returns the video as soon as, and as long as, it is known. */
  push(packet: Uint8Array): VideoProgram | undefined {
    const pid = packetPid(packet)
    if (pid === patPid) {
      for (const section of this.#pat.push(packet)) this.#readPat(section)
    } else if (pid === this.#pmtPid) {
      for (const section of this.#pmt.push(packet)) this.#readPmt(section)
    }
    return this.#video
  }

  #readPat(section: Uint8Array): void {
    if (section[0] !== 0) return
    for (let i = 8; i + 4 <= section.length - 4; i += 4) {
      const program = ((section[i] ?? 0) << 8) | (section[i + 1] ?? 0)
      const pid = (((section[i + 2] ?? 0) & 0x1f) << 8) | (section[i + 3] ?? 0)
      // Program 0 is the network information table.
      if (program === 0) continue
      if (pid !== this.#pmtPid) this.#pmt.reset()
      this.#pmtPid = pid
      return
    }
  }

  #readPmt(section: Uint8Array): void {
    if (section[0] !== pmtTableId) return
    const infoLength = (((section[10] ?? 0) & 0x0f) << 8) | (section[11] ?? 0)
    let position = 12 + infoLength
    while (position + 5 <= section.length - 4) {
      const streamType = section[position] ?? 0
      const pid = (((section[position + 1] ?? 0) & 0x1f) << 8) | (section[position + 2] ?? 0)
      const codec = codecByStreamType.get(streamType)
      if (codec !== undefined) {
        if (pid !== this.#video?.pid || codec !== this.#video.codec) this.#video = { codec, pid, streamType }
        return
      }
      position += 5 + ((((section[position + 3] ?? 0) & 0x0f) << 8) | (section[position + 4] ?? 0))
    }
  }
}

/** Puts the sections of one PID together again. */
class SectionCollector {
  #begun: number[] | undefined

  reset(): void {
    this.#begun = undefined
  }

  push(packet: Uint8Array): readonly Uint8Array[] {
    const payload = packet.subarray(payloadOffset(packet))
    if (!startsUnit(packet)) return this.#continue(payload)
    const pointer = payload[0] ?? 0
    const finished = this.#continue(payload.subarray(1, 1 + pointer))
    this.#begun = []
    return [...finished, ...this.#continue(payload.subarray(1 + pointer))]
  }

  #continue(bytes: Uint8Array): readonly Uint8Array[] {
    const sections: Uint8Array[] = []
    if (this.#begun === undefined) return sections
    for (const byte of bytes) {
      // Table id 0xff is stuffing up to the end of the packet.
      if (this.#begun.length === 0 && byte === 0xff) break
      this.#begun.push(byte)
      const length = sectionBytes(this.#begun)
      if (length === undefined || this.#begun.length < length) continue
      const section = Uint8Array.from(this.#begun)
      this.#begun = []
      if (length <= maxSectionBytes && crc32Mpeg(section) === 0) sections.push(section)
    }
    return sections
  }
}

/** Length of a section with its head, once that is known. */
function sectionBytes(begun: readonly number[]): number | undefined {
  const [, high, low] = begun
  return high === undefined || low === undefined ? undefined : 3 + (((high & 0x0f) << 8) | low)
}

/** CRC-32/MPEG-2 (ISO/IEC 13818-1 annex A); over a section with its CRC it gives 0. */
export function crc32Mpeg(bytes: Uint8Array): number {
  let crc = 0xffff_ffff
  for (const byte of bytes) {
    crc ^= byte << 24
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000_0000 ? (crc << 1) ^ 0x04c1_1db7 : crc << 1
  }
  return crc >>> 0
}
