import { hasStuffing, packetPid, payloadOffset, startsUnit } from './ts-packets.ts'

/** The bytes of one coded picture (one PES packet), as views into the messages that brought them. */
export interface CodedPicture {
  readonly parts: readonly Uint8Array[]
  readonly bytes: number
  /** Begins with a sequence header: decoding can begin here. */
  readonly isKey: boolean
}

/** More than any picture of a lab camera; a flow that never begins a new picture is cut off here. */
const maxPictureBytes = 1024 * 1024

/**
 * Puts the pictures of one PID together from packets (ISO/IEC 13818-1 2.4.3.6). A picture is handed on when the next one
 * begins, or earlier when its last packet is recognised by its stuffing: that saves the time of one picture.
 */
export class PictureAssembler {
  readonly #pid: number
  readonly #onPicture: (picture: CodedPicture) => void
  #parts: Uint8Array[] = []
  #bytes = 0
  #isOpen = false

  constructor(pid: number, onPicture: (picture: CodedPicture) => void) {
    this.#pid = pid
    this.#onPicture = onPicture
  }

  push(packet: Uint8Array): void {
    if (packetPid(packet) !== this.#pid) return
    const offset = payloadOffset(packet)
    if (startsUnit(packet)) {
      this.#finish()
      this.#isOpen = true
      this.#add(packet.subarray(offset + pesHeaderBytes(packet, offset)))
    } else if (this.#isOpen) {
      this.#add(packet.subarray(offset))
      if (hasStuffing(packet)) this.#finish()
    }
  }

  #add(part: Uint8Array): void {
    if (part.length === 0) return
    this.#parts.push(part)
    this.#bytes += part.length
    if (this.#bytes > maxPictureBytes) this.#drop()
  }

  #finish(): void {
    const parts = this.#parts
    const bytes = this.#bytes
    this.#drop()
    if (parts.length > 0) this.#onPicture({ parts, bytes, isKey: beginsWithSequence(parts[0]) })
  }

  #drop(): void {
    this.#parts = []
    this.#bytes = 0
    this.#isOpen = false
  }
}

/** Length of the PES header at `offset`; everything when there is none, so that rubbish gives no picture. */
function pesHeaderBytes(packet: Uint8Array, offset: number): number {
  const hasPrefix = packet[offset] === 0 && packet[offset + 1] === 0 && packet[offset + 2] === 1
  if (!hasPrefix) return packet.length
  return 9 + (packet[offset + 8] ?? 0)
}

/** ISO/IEC 11172-2 2.4.2.3: sequence_header_code. */
function beginsWithSequence(part: Uint8Array | undefined): boolean {
  return part?.[0] === 0 && part[1] === 0 && part[2] === 1 && part[3] === 0xb3
}

/**
 * Whether a key picture is MPEG-2: its sequence header is followed by an extension (ISO/IEC 13818-2 6.2.2). The program
 * map does not tell, as ffmpeg writes the same type for both; the decoder of the page knows MPEG-1 only.
 */
export function isMpeg2(picture: CodedPicture): boolean {
  const head = picture.parts[0]
  if (!picture.isKey || head === undefined) return false
  for (let i = 12; i + 3 < Math.min(head.length, 160); i += 1) {
    if (head[i] === 0 && head[i + 1] === 0 && head[i + 2] === 1) return head[i + 3] === 0xb5
  }
  return false
}

/** Width and height from the sequence header of a key picture (ISO/IEC 11172-2 2.4.2.3); undefined where it has none. */
export function sequenceSize(picture: CodedPicture): readonly [width: number, height: number] | undefined {
  const [, , , , first, second, third] = picture.parts[0] ?? []
  if (!picture.isKey || first === undefined || second === undefined || third === undefined) return undefined
  return [(first << 4) | (second >> 4), ((second & 0x0f) << 8) | third]
}
