export interface BinaryFramesOptions {
  /** Frames come from a client: with a masking key. */
  readonly isMasked: boolean
  /** Longer binary frames are passed to `onOther`. */
  readonly maxFrameBytes: number
  /** Payload of binary messages, unmasked, in pieces as they came; empty for an empty frame. The bytes belong to the receiver. */
  readonly onBytes: (data: Buffer) => void
  /** Everything else, in order and exactly as it came: whole frames, in one or more pieces. */
  readonly onOther: (bytes: Buffer) => void
  /** A new message began within a binary one (RFC 6455 5.4). Nothing comes after it. */
  readonly onFault: () => void
}

const continuationOpcode = 0
const textOpcode = 1
const binaryOpcode = 2
const closeOpcode = 8
const maxHeaderBytes = 14
const nothing = Buffer.alloc(0)

type Reading =
  /** A header. */
  | 'header'
  /** Payload of a binary message. */
  | 'bytes'
  /** Payload of another frame. */
  | 'other'
  /** No frame that can be understood: all that comes is for `onOther`. */
  | 'no-frames'
  | 'nothing'

/**
 * Divides what comes over a websocket connection into the bytes of binary messages and all other frames (RFC 6455 5.2),
 * whatever the pieces in which it comes. Copies no payload. What it does not understand it leaves to `onOther`.
 */
export class BinaryFrames {
  readonly #options: BinaryFramesOptions
  readonly #header = Buffer.alloc(maxHeaderBytes)
  #headerBytes = 0
  #headerWanted = 2
  #reading: Reading = 'header'
  #left = 0
  /** Place in the masking key of the next byte. */
  #keyAt = 0
  #hasKey = false
  #isBinaryOpen = false
  #isTextOpen = false
  #isClose = false

  constructor(options: BinaryFramesOptions) {
    this.#options = options
  }

  /** Takes what was read. Payload in it is unmasked in place. */
  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      switch (this.#reading) {
        case 'header':
          at = this.#readHeader(chunk, at)
          break
        case 'bytes':
        case 'other':
          at = this.#readPayload(chunk, at)
          break
        case 'no-frames':
          this.#options.onOther(chunk.subarray(at))
          return
        default:
          return
      }
    }
  }

  /** Whatever comes from here on is thrown away. */
  stop(): void {
    this.#reading = 'nothing'
  }

  #readHeader(chunk: Buffer, from: number): number {
    const header = this.#header
    let at = from
    while (this.#headerBytes < this.#headerWanted && at < chunk.length) {
      header[this.#headerBytes] = chunk[at] ?? 0
      this.#headerBytes += 1
      at += 1
      if (this.#headerBytes === 2) this.#headerWanted = headerLength(header[1] ?? 0)
    }
    if (this.#headerBytes === this.#headerWanted) this.#begin()
    return at
  }

  /** A header is there. */
  #begin(): void {
    const header = this.#header
    const first = header[0] ?? 0
    const opcode = first & 0x0f
    const isFinal = first >= 0x80
    const isMasked = (header[1] ?? 0) >= 0x80
    const wanted = this.#headerWanted
    this.#headerBytes = 0
    this.#headerWanted = 2
    this.#left = payloadLength(header)
    const isOfBinary =
      opcode === continuationOpcode ? this.#isBinaryOpen : opcode === binaryOpcode && !this.#isTextOpen
    const isRegular = (first & 0x70) === 0 && isMasked === this.#options.isMasked
    if (this.#isBinaryOpen && (opcode === textOpcode || opcode === binaryOpcode)) {
      this.stop()
      this.#options.onFault()
    } else if (isOfBinary && isRegular && this.#left <= this.#options.maxFrameBytes) {
      this.#isBinaryOpen = !isFinal
      this.#keyAt = 0
      this.#hasKey = isMasked && header.readInt32LE(wanted - 4) !== 0
      // One without bytes is told too: it ends a message, and is a sign of life.
      if (this.#left > 0) this.#reading = 'bytes'
      else this.#options.onBytes(nothing)
    } else {
      this.#beginOther(opcode, isFinal, isRegular && !isOfBinary)
      this.#options.onOther(Buffer.from(header.subarray(0, wanted)))
      if (this.#left === 0) this.#frameEnded()
    }
    if (this.#hasKey) header.copy(header, 0, wanted - 4, wanted)
  }

  #beginOther(opcode: number, isFinal: boolean, isUnderstood: boolean): void {
    if (opcode === textOpcode || opcode === continuationOpcode) this.#isTextOpen = !isFinal
    this.#isClose = opcode === closeOpcode
    this.#hasKey = false
    this.#reading = isUnderstood ? 'other' : 'no-frames'
  }

  #readPayload(chunk: Buffer, from: number): number {
    const to = Math.min(chunk.length, from + this.#left)
    const piece = from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to)
    this.#left -= piece.length
    if (this.#reading === 'other') {
      this.#options.onOther(piece)
      if (this.#left === 0) this.#frameEnded()
      return to
    }
    if (this.#hasKey) this.#keyAt = unmask(piece, this.#header, this.#keyAt)
    if (this.#left === 0) this.#reading = 'header'
    this.#options.onBytes(piece)
    return to
  }

  #frameEnded(): void {
    if (this.#reading === 'other') this.#reading = this.#isClose ? 'nothing' : 'header'
  }
}

/** Of a header by its second byte. Pure. */
function headerLength(second: number): number {
  const length = second & 0x7f
  return 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + (second >= 0x80 ? 4 : 0)
}

/** In a header that is whole. Pure. */
function payloadLength(header: Buffer): number {
  const length = (header[1] ?? 0) & 0x7f
  if (length < 126) return length
  return length === 126 ? header.readUInt16BE(2) : header.readUInt32BE(2) * 2 ** 32 + header.readUInt32BE(6)
}

/** Below this, words are not worth their setting up. */
const minWordsBytes = 64

/** In place, with the four bytes of `key` from `keyAt` on; gives the place in the key behind the last byte. */
function unmask(bytes: Buffer, key: Buffer, keyAt: number): number {
  const { length } = bytes
  // Words begin where memory says so, at the latest after three bytes.
  const wordsAt = length < minWordsBytes ? length : -bytes.byteOffset & 3
  const words = length < minWordsBytes ? 0 : (length - wordsAt) >>> 2
  unmaskBytes(bytes, { from: 0, to: wordsAt }, key, keyAt)
  if (words > 0)
    unmaskWords(new Int32Array(bytes.buffer, bytes.byteOffset + wordsAt, words), key, keyAt + wordsAt)
  unmaskBytes(bytes, { from: wordsAt + words * 4, to: length }, key, keyAt)
  return (keyAt + length) & 3
}

function unmaskBytes(
  bytes: Buffer,
  { from, to }: { readonly from: number; readonly to: number },
  key: Buffer,
  keyAt: number,
): void {
  for (let at = from; at < to; at += 1) bytes[at] = (bytes[at] ?? 0) ^ (key[(keyAt + at) & 3] ?? 0)
}

function unmaskWords(words: Int32Array, key: Buffer, keyAt: number): void {
  const turned = Uint8Array.from([0, 1, 2, 3], (index) => key[(keyAt + index) & 3] ?? 0)
  const word = new Int32Array(turned.buffer)[0] ?? 0
  for (let index = 0; index < words.length; index += 1) words[index] = (words[index] ?? 0) ^ word
}
