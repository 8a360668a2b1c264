import { isUtf8 } from 'node:buffer'
import { restOf } from '../rest-of.ts'

export type LineEnd = 'any' | 'lf' | 'crlf' | 'cr'
export type ByteOrder = 'big' | 'little'

/** How an instrument marks where a message ends. */
export type Framing =
  | { readonly kind: 'line'; readonly endIn: LineEnd; readonly endOut: LineEndOut; readonly maxBytes: number }
  | { readonly kind: 'raw' }
  | {
      readonly kind: 'length'
      readonly prefixBytes: 1 | 2 | 4
      readonly order: ByteOrder
      readonly maxBytes: number
    }
export type LineEndOut = 'lf' | 'crlf' | 'cr' | 'none'

/** What a decoder had to do beyond cutting. */
export interface FramingCounters {
  /** Lines that were longer than allowed and lost their end. */
  readonly cutLines: number
  /** Lines that were no UTF-8 and got replacement characters, as a browser would close on them. */
  readonly repairedLines: number
  /** Bytes that belonged to no message. */
  readonly skippedBytes: number
  /** Bytes of lines that are no text: no UTF-8, or control characters. Many of them mean a wrong baud rate. */
  readonly garbageBytes: number
}

/** Turns the bytes of an instrument into messages; how the bytes were chunked changes nothing but for `raw`. */
export interface FrameDecoder {
  readonly counters: FramingCounters
  push(chunk: Buffer, emit: (message: Buffer) => void): void
}

export function frameDecoder(framing: Framing): FrameDecoder {
  switch (framing.kind) {
    case 'line':
      return new LineDecoder(framing)
    case 'length':
      return new LengthDecoder(framing)
    default:
      return { counters: noCounters, push: (chunk, emit) => emit(chunk) }
  }
}

export const noCounters: FramingCounters = { cutLines: 0, repairedLines: 0, skippedBytes: 0, garbageBytes: 0 }

export function addCounters(one: FramingCounters, other: FramingCounters): FramingCounters {
  return {
    cutLines: one.cutLines + other.cutLines,
    repairedLines: one.repairedLines + other.repairedLines,
    skippedBytes: one.skippedBytes + other.skippedBytes,
    garbageBytes: one.garbageBytes + other.garbageBytes,
  }
}

const TAB = 0x09
const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const DELETE = 0x7f
const REPLACEMENT = '\ufffd'

/**
 * Lines without their end, empty ones left out. A line longer than `maxBytes` is given out cut to that, and the rest
 * of it is left out, so that an instrument which never ends its line fills no memory.
 */
class LineDecoder implements FrameDecoder {
  readonly #end: LineEnd
  readonly #maxBytes: number
  #open: Buffer = Buffer.alloc(0)
  /** The rest of a cut line is being left out. */
  #isSkipping = false
  #counters = { ...noCounters }

  constructor({ endIn, maxBytes }: { readonly endIn: LineEnd; readonly maxBytes: number }) {
    this.#end = endIn
    this.#maxBytes = maxBytes
  }

  get counters(): FramingCounters {
    return this.#counters
  }

  push(chunk: Buffer, emit: (message: Buffer) => void): void {
    const data = this.#open.length === 0 ? chunk : Buffer.concat([this.#open, chunk])
    let start = 0
    for (;;) {
      const end = this.#findEnd(data, start)
      if (end < 0) break
      if (this.#isSkipping) this.#isSkipping = false
      else this.#emitLine(data.subarray(start, end), emit)
      start = end + (this.#end === 'crlf' ? 2 : 1)
    }
    this.#keep(restOf(data, start), emit)
  }

  #findEnd(data: Buffer, from: number): number {
    switch (this.#end) {
      case 'lf':
        return data.indexOf(LF, from)
      case 'cr':
        return data.indexOf(CR, from)
      case 'crlf':
        return data.indexOf('\r\n', from)
      default: {
        const lf = data.indexOf(LF, from)
        const cr = data.subarray(0, lf < 0 ? data.length : lf).indexOf(CR, from)
        return cr < 0 ? lf : cr
      }
    }
  }

  /** The beginning of a line whose end has not come. */
  #keep(open: Buffer, emit: (message: Buffer) => void): void {
    // The first half of `\r\n` may be the last byte; it counts only when the next one is here.
    const mayEnd = this.#end === 'crlf' && open.at(-1) === CR
    const contentBytes = open.length - (mayEnd ? 1 : 0)
    if (!this.#isSkipping && contentBytes > this.#maxBytes) {
      this.#emitLine(open.subarray(0, contentBytes), emit)
      this.#isSkipping = true
    }
    if (this.#isSkipping) this.#open = mayEnd ? Buffer.of(CR) : Buffer.alloc(0)
    else this.#open = open
  }

  #emitLine(line: Buffer, emit: (message: Buffer) => void): void {
    if (line.length === 0) return
    let text = line
    if (text.length > this.#maxBytes) {
      text = text.subarray(0, this.#maxBytes)
      this.#counters.cutLines += 1
    }
    this.#counters.garbageBytes += countControls(text)
    if (!isUtf8(text)) {
      const repaired = text.toString('utf8')
      this.#counters.garbageBytes += repaired.split(REPLACEMENT).length - 1
      this.#counters.repairedLines += 1
      text = Buffer.from(repaired)
    }
    emit(text)
  }
}

/** A terminal code or a bell here and there is no harm; noise is full of these. */
function countControls(text: Buffer): number {
  let count = 0
  for (const byte of text) if ((byte < SPACE && byte !== TAB) || byte === DELETE) count += 1
  return count
}

/**
 * Messages behind their length. A length of 0 or above `maxBytes` is a sign that the place is lost: the decoder moves
 * on by one byte until a length makes sense again.
 */
class LengthDecoder implements FrameDecoder {
  readonly #prefixBytes: 1 | 2 | 4
  readonly #order: ByteOrder
  readonly #maxBytes: number
  #open: Buffer = Buffer.alloc(0)
  #counters = { ...noCounters }

  constructor(options: {
    readonly prefixBytes: 1 | 2 | 4
    readonly order: ByteOrder
    readonly maxBytes: number
  }) {
    this.#prefixBytes = options.prefixBytes
    this.#order = options.order
    this.#maxBytes = options.maxBytes
  }

  get counters(): FramingCounters {
    return this.#counters
  }

  push(chunk: Buffer, emit: (message: Buffer) => void): void {
    const data = this.#open.length === 0 ? chunk : Buffer.concat([this.#open, chunk])
    let start = 0
    while (start + this.#prefixBytes <= data.length) {
      const length =
        this.#order === 'big'
          ? data.readUIntBE(start, this.#prefixBytes)
          : data.readUIntLE(start, this.#prefixBytes)
      if (length === 0 || length > this.#maxBytes) {
        start += 1
        this.#counters.skippedBytes += 1
        continue
      }
      const end = start + this.#prefixBytes + length
      if (end > data.length) break
      emit(data.subarray(start + this.#prefixBytes, end))
      start = end
    }
    this.#open = restOf(data, start)
  }
}
