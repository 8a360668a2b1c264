import { restOf } from '../rest-of.ts'

/** Length of an MPEG-TS packet and its first byte (ISO/IEC 13818-1, 2.4.3). */
export const TS_PACKET_BYTES = 188
const SYNC_BYTE = 0x47
/** Programme association, and service description: ffmpeg writes the tables before a key frame in this order. */
const PID_PAT = 0x0000
const PID_SDT = 0x0011

export interface TsCutterOptions {
  /** A message that grows to this is cut at a packet boundary, so that nothing is held without limit. */
  readonly maxMessageBytes: number
}

/** What went through a cutter since it was made. */
export interface TsCounters {
  /** Video frames (access units) that began. */
  readonly frames: number
  /** Frames from which a decoder can start. */
  readonly keyFrames: number
  /** Pieces of sound (PES packets) that began. */
  readonly audioUnits: number
  /** Bytes that were no MPEG-TS and were left out. */
  readonly skippedBytes: number
}

/**
 * Cuts a byte stream of MPEG-TS into messages: whole packets, one video frame each, tables and sound that stand
 * before a frame with it. It holds no clock and does no I/O.
 *
 * When a frame is over is known, best first: (1) its PES packet has a length and that many bytes have come; (2) its
 * last packet is filled up with stuffing, as multiplexers do at the end of a frame; (3) the next frame or table
 * begins. (1) and (2) give the frame out with its last byte; where only (3) holds (one frame in 184 of a multiplexer
 * that writes no length) the owner calls `flush` after a pause and so keeps the delay bounded.
 *
 * Invariants: the messages joined are the input without what was skipped; every message is a multiple of 188 bytes
 * and begins with the sync byte; how the input was chunked changes nothing (but for `flush`).
 */
export class TsCutter {
  readonly #maxMessageBytes: number
  /** Input that was not looked at yet: less than two packets. */
  #rest: Buffer = Buffer.alloc(0)
  /** Whole packets of the message that is being gathered. */
  #held: Buffer[] = []
  #heldBytes = 0
  #isInSync = false
  /** PID of the video; -1 while unknown. */
  #videoPid = -1
  /** PID of the first stream of any kind, the measure where there is no video. */
  #firstPid = -1
  #isFrameOpen = false
  /** The message that is being gathered holds packets of the open frame. */
  #holdsFrame = false
  /** Bytes that the open PES packet still lacks; -1 where it tells no length. */
  #pesBytesLeft = -1
  #frames = 0
  #keyFrames = 0
  #audioUnits = 0
  #skippedBytes = 0

  constructor({ maxMessageBytes }: TsCutterOptions) {
    this.#maxMessageBytes = Math.max(TS_PACKET_BYTES, maxMessageBytes)
  }

  get counters(): TsCounters {
    return {
      frames: this.#frames,
      keyFrames: this.#keyFrames,
      audioUnits: this.#audioUnits,
      skippedBytes: this.#skippedBytes,
    }
  }

  /** Whole packets wait to be given out. */
  get isHolding(): boolean {
    return this.#heldBytes > 0
  }

  /** Packets that belong to no frame wait, such as sound while the picture pauses: the owner flushes after a pause. */
  get holdsBetweenFrames(): boolean {
    return this.#heldBytes > 0 && !this.#isFrameOpen
  }

  /** Packets of a frame wait, and its end may already be here without being known: the owner flushes after a pause. */
  get awaitsUnknownEnd(): boolean {
    return this.#holdsFrame && this.#isFrameOpen && this.#pesBytesLeft < 0
  }

  /** Takes a piece of the stream and gives out what is complete; a frame inside of one piece is not copied. */
  push(chunk: Buffer, emit: (message: Buffer) => void): void {
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let start = 0
    let offset = 0
    while (offset < data.length) {
      if (this.#isInSync && data[offset] === SYNC_BYTE) {
        if (offset + TS_PACKET_BYTES > data.length) break
        if (this.#isBoundary(data, offset)) {
          this.#hold(data, start, offset)
          this.#emitHeld(emit)
          start = offset
        }
        const isOver = this.#take(data, offset)
        offset += TS_PACKET_BYTES
        if (isOver || this.#heldBytes + offset - start + TS_PACKET_BYTES > this.#maxMessageBytes) {
          this.#hold(data, start, offset)
          this.#emitHeld(emit)
          start = offset
        }
        continue
      }
      this.#hold(data, start, offset)
      this.#isInSync = false
      start = this.#findSync(data, offset)
      this.#skippedBytes += start - offset
      offset = start
      if (!this.#isInSync) break
    }
    this.#hold(data, start, offset)
    this.#rest = restOf(data, offset)
  }

  /** Gives out the packets that wait, be their frame complete or not; a single packet then needs no second one. */
  flush(emit: (message: Buffer) => void): void {
    if (this.#rest.length === TS_PACKET_BYTES && this.#rest[0] === SYNC_BYTE) {
      this.#isInSync = true
      this.push(Buffer.alloc(0), emit)
    }
    this.#emitHeld(emit)
  }

  /** The packet at `offset` belongs to the next message, not to the frame that is open. */
  #isBoundary(data: Buffer, offset: number): boolean {
    if (!this.#isFrameOpen || !this.#holdsFrame) return false
    const pid = pidOf(data, offset)
    if (pid === PID_PAT || pid === PID_SDT) return this.#pesBytesLeft < 0
    return pid === this.#framePid() && isUnitStart(data, offset)
  }

  /** Looks at one packet; true when a frame ends with it. */
  #take(data: Buffer, offset: number): boolean {
    const pid = pidOf(data, offset)
    const payload = payloadOffset(data, offset)
    if (isUnitStart(data, offset)) this.#beginUnit(data, offset, payload, pid)
    if (pid !== this.#framePid() || !this.#isFrameOpen || payload < 0) return false
    this.#holdsFrame = true
    const payloadBytes = offset + TS_PACKET_BYTES - payload
    if (this.#pesBytesLeft >= 0) {
      this.#pesBytesLeft -= payloadBytes
      if (this.#pesBytesLeft > 0) return false
    } else if (stuffingBytes(data, offset) === 0) return false
    this.#isFrameOpen = false
    return true
  }

  #beginUnit(data: Buffer, offset: number, payload: number, pid: number): void {
    const streamId = streamIdOf(data, offset, payload)
    if (streamId < 0) return
    if (isAudio(streamId)) this.#audioUnits += 1
    if (isVideo(streamId) && this.#videoPid !== pid) this.#videoPid = pid
    // Below 0xBD are no PES packets (2.4.3.7).
    if (this.#firstPid < 0 && streamId >= 0xbd) this.#firstPid = pid
    if (pid !== this.#framePid()) return
    const pesLength = data.readUInt16BE(payload + 4)
    this.#isFrameOpen = true
    this.#pesBytesLeft = pesLength === 0 ? -1 : pesLength + 6
    this.#frames += 1
    if (isRandomAccess(data, offset)) this.#keyFrames += 1
  }

  #framePid(): number {
    return this.#videoPid >= 0 ? this.#videoPid : this.#firstPid
  }

  #hold(data: Buffer, start: number, end: number): void {
    if (end <= start) return
    this.#held.push(data.subarray(start, end))
    this.#heldBytes += end - start
  }

  #emitHeld(emit: (message: Buffer) => void): void {
    if (this.#heldBytes === 0) return
    const [first] = this.#held
    const message = this.#held.length === 1 && first !== undefined ? first : Buffer.concat(this.#held)
    this.#held = []
    this.#heldBytes = 0
    this.#holdsFrame = false
    emit(message)
  }

  /** Where two sync bytes stand one packet apart, from `offset` on; without such a place, where to look further. */
  #findSync(data: Buffer, offset: number): number {
    let candidate = data.indexOf(SYNC_BYTE, offset)
    while (candidate >= 0 && candidate + TS_PACKET_BYTES < data.length) {
      if (data[candidate + TS_PACKET_BYTES] === SYNC_BYTE) {
        this.#isInSync = true
        return candidate
      }
      candidate = data.indexOf(SYNC_BYTE, candidate + 1)
    }
    return candidate < 0 ? data.length : candidate
  }
}

function pidOf(data: Buffer, offset: number): number {
  return data.readUInt16BE(offset + 1) & 0x1fff
}

function isUnitStart(data: Buffer, offset: number): boolean {
  return ((data[offset + 1] ?? 0) & 0x40) !== 0
}

/** The stream id of the PES packet whose header stands at `payload` (2.4.3.7); -1 where there is none. */
function streamIdOf(data: Buffer, offset: number, payload: number): number {
  if (payload < 0 || payload + 6 > offset + TS_PACKET_BYTES || data.readUIntBE(payload, 3) !== 1) return -1
  return data[payload + 3] ?? -1
}

/** 0xE0 to 0xEF are video (2.4.3.7). */
function isVideo(streamId: number): boolean {
  return (streamId & 0xf0) === 0xe0
}

/** 0xC0 to 0xDF are MPEG audio (2.4.3.7). */
function isAudio(streamId: number): boolean {
  return (streamId & 0xe0) === 0xc0
}

/** The length of the adaptation field, or -1 where there is none (2.4.3.4). */
function adaptationBytes(data: Buffer, offset: number): number {
  return ((data[offset + 3] ?? 0) & 0x20) === 0 ? -1 : (data[offset + 4] ?? 0)
}

/** Where the payload of a packet begins; -1 where it has none. */
function payloadOffset(data: Buffer, offset: number): number {
  if (((data[offset + 3] ?? 0) & 0x10) === 0) return -1
  const start = offset + 5 + adaptationBytes(data, offset)
  return start < offset + TS_PACKET_BYTES ? start : -1
}

function isRandomAccess(data: Buffer, offset: number): boolean {
  return adaptationBytes(data, offset) > 0 && ((data[offset + 5] ?? 0) & 0x40) !== 0
}

/** Bytes of the adaptation field that say nothing: they fill up the last packet of a frame. */
function stuffingBytes(data: Buffer, offset: number): number {
  const length = adaptationBytes(data, offset)
  if (length < 0) return 0
  if (length === 0) return 1
  const flags = data[offset + 5] ?? 0
  let used = 1
  if ((flags & 0x10) !== 0) used += 6
  if ((flags & 0x08) !== 0) used += 6
  if ((flags & 0x04) !== 0) used += 1
  // Private data and extensions have lengths of their own; a multiplexer that uses them is not judged by stuffing.
  if ((flags & 0x03) !== 0) return 0
  return Math.max(0, length - used)
}

/**
 * A decoder can begin with this message: it holds the first packet of a key frame. Multiplexers mark every packet of
 * sound as a place to begin, so only video counts.
 */
export function beginsKeyFrame(message: Buffer): boolean {
  for (let offset = 0; offset + TS_PACKET_BYTES <= message.length; offset += TS_PACKET_BYTES) {
    if (message[offset] !== SYNC_BYTE) return false
    if (!isUnitStart(message, offset) || !isRandomAccess(message, offset)) continue
    if (isVideo(streamIdOf(message, offset, payloadOffset(message, offset)))) return true
  }
  return false
}

/** The message is nothing but whole MPEG-TS packets, as far as their first bytes say. */
export function isTransportStream(message: Buffer): boolean {
  if (message.length === 0 || message.length % TS_PACKET_BYTES !== 0) return false
  for (let offset = 0; offset < message.length; offset += TS_PACKET_BYTES) {
    if (message[offset] !== SYNC_BYTE) return false
  }
  return true
}
