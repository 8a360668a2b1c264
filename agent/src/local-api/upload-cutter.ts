import { isTransportStream, TS_PACKET_BYTES, TsCutter } from '../video/ts-cutter.ts'

export type Emit = (message: Buffer) => void

/** With this many bytes it is known whether an upload is MPEG-TS. */
const sniffedBytes = 5 * TS_PACKET_BYTES
const nothing = Buffer.alloc(0)

/**
 * Cuts one upload into messages. MPEG-TS goes frame by frame; an upload that is something else goes on as it came,
 * piece by piece, as the old host never looked at what it carried (spec session 7.4).
 *
 * Invariants: of MPEG-TS no message ends inside of a packet; nothing is held but the message in the making, at most
 * `maxMessageBytes`; what an upload is, is decided once.
 */
export class UploadCutter {
  readonly #maxMessageBytes: number
  readonly #cutter: TsCutter
  #kind: 'unknown' | 'transport-stream' | 'other' = 'unknown'
  #sniffed: Buffer = nothing
  #hasFrames = false

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes
    this.#cutter = new TsCutter({ maxMessageBytes })
  }

  /** Bytes that stood between packets and were left out. */
  get skippedBytes(): number {
    return this.#cutter.counters.skippedBytes
  }

  /** Something waits that a pause should bring out: see `pause`. */
  get isWaiting(): boolean {
    return this.#sniffed.length > 0 || this.#cutter.isHolding
  }

  push(chunk: Buffer, emit: Emit): void {
    switch (this.#kind) {
      case 'transport-stream':
        this.#cutter.push(chunk, emit)
        if (!this.#hasFrames) this.#flushUnlessFramed(emit)
        return
      case 'other':
        this.#passOn(chunk, emit)
        return
      case 'unknown': {
        const sniffed = this.#sniffed.length === 0 ? chunk : Buffer.concat([this.#sniffed, chunk])
        if (isUnframed(sniffed)) {
          this.#sniffed = nothing
          emit(sniffed)
          return
        }
        if (sniffed.length < sniffedBytes) {
          this.#sniffed = sniffed
          return
        }
        this.#sniffed = nothing
        this.#kind = holdsPackets(sniffed) ? 'transport-stream' : 'other'
        this.push(sniffed, emit)
      }
    }
  }

  /** Nothing came for a while: gives out what is likely to be complete. */
  pause(emit: Emit): void {
    const sniffed = this.#sniffed
    this.#sniffed = nothing
    // Few bytes, then silence: whole packets may be the head of a transport stream, so nothing is decided yet.
    if (isTransportStream(sniffed)) emit(sniffed)
    else if (sniffed.length > 0) {
      this.#kind = holdsPackets(sniffed) ? 'transport-stream' : 'other'
      this.push(sniffed, emit)
    }
    this.#cutter.flush(emit)
  }

  /** The upload ended well: gives out the rest. */
  end(emit: Emit): void {
    this.pause(emit)
  }

  /** Packets without any frame have no end to wait for: they go on as they come. */
  #flushUnlessFramed(emit: Emit): void {
    this.#hasFrames = this.#cutter.counters.frames > 0
    if (!this.#hasFrames) this.#cutter.flush(emit)
  }

  #passOn(chunk: Buffer, emit: Emit): void {
    for (let offset = 0; offset < chunk.length; offset += this.#maxMessageBytes) {
      emit(chunk.subarray(offset, offset + this.#maxMessageBytes))
    }
  }
}

/** Whole packets, none of which begins a frame or a table. */
function isUnframed(data: Buffer): boolean {
  if (data.length > sniffedBytes || !isTransportStream(data)) return false
  for (let offset = 0; offset < data.length; offset += TS_PACKET_BYTES) {
    if (((data[offset + 1] ?? 0) & 0x40) !== 0) return false
  }
  return true
}

/** Two sync bytes or more, and one in each packet's place, from somewhere in the first packet on. */
function holdsPackets(data: Buffer): boolean {
  for (let start = 0; start < TS_PACKET_BYTES && start + TS_PACKET_BYTES < data.length; start += 1) {
    if (hasSyncBytes(data, start)) return true
  }
  return false
}

function hasSyncBytes(data: Buffer, start: number): boolean {
  const end = Math.min(data.length, start + sniffedBytes)
  for (let offset = start; offset < end; offset += TS_PACKET_BYTES) {
    if (data[offset] !== 0x47) return false
  }
  return true
}
