import { AppError } from '@relay/common/errors'

export interface LeftOut {
  readonly reason: 'too long' | 'not asked for'
  readonly qos: number
  /** Undefined where the broker waits for no acknowledgement. */
  readonly packetId: number | undefined
}

export interface GateEvents {
  /** Bytes that may go on, whole packets or parts of them, in order. */
  readonly onBytes: (bytes: Buffer) => void
  /** A message was left out. */
  readonly onLeftOut: (message: LeftOut) => void
}

const PUBLISH = 3
/** We subscribe with QoS 0 and 1; a broker gives no more than it was asked for (MQTT 5, 3.8.4). */
const highestQos = 1
/** A length takes at most four bytes (MQTT 5, 1.5.5). */
const maxLengthBytes = 4

/**
 * Lets the packets of a broker pass one after the other and leaves out messages longer than `maxPacketBytes`, without
 * keeping them: the library would collect up to 256 MiB before it says a word. Messages of QoS 2 are left out as well:
 * the library keeps each until the broker releases it, and with MQTT 3.1.1 takes 65,535 of them.
 */
export class PacketGate {
  readonly #maxPacketBytes: number
  readonly #events: GateEvents
  /** The fixed header, or of a message that is left out what leads to its id, as far as it has come. */
  #open: Buffer = Buffer.alloc(0)
  #mode: 'header' | 'pass' | 'identify' | 'skip' = 'header'
  #leftBytes = 0
  /** Of the message that is left out. */
  #qos = 0
  #reason: LeftOut['reason'] = 'too long'

  constructor({ maxPacketBytes }: { readonly maxPacketBytes: number }, events: GateEvents) {
    this.#maxPacketBytes = maxPacketBytes
    this.#events = events
  }

  /**
   * Takes bytes until they or `maxPackets` are used up.
   * @throws {AppError} `MQTT_MALFORMED` when it is no MQTT.
   */
  push(data: Buffer, maxPackets: number): { readonly usedBytes: number; readonly packets: number } {
    let place = 0
    let passFrom = 0
    let packets = 0
    const flush = (end: number): void => {
      if (end > passFrom) this.#events.onBytes(data.subarray(passFrom, end))
      passFrom = end
    }
    while (place < data.length) {
      if (this.#mode === 'header') {
        if (packets >= maxPackets) break
        const held = this.#open.length
        const length = this.#readHeader(data, place)
        if (length === undefined) {
          flush(place)
          this.#open = Buffer.concat([this.#open, data.subarray(place)])
          return { usedBytes: data.length, packets }
        }
        packets += 1
        const headerEnd = place + length.headerBytes - held
        if (this.#mode === 'header' && length.bodyBytes > 0) this.#mode = 'pass'
        this.#leftBytes = length.bodyBytes
        if (this.#isLeftOut(length)) {
          flush(place)
          passFrom = headerEnd
        } else if (held > 0) {
          this.#events.onBytes(this.#open)
        }
        this.#open = Buffer.alloc(0)
        place = headerEnd
      }
      if (this.#mode === 'pass') {
        const end = Math.min(data.length, place + this.#leftBytes)
        this.#advance(end - place)
        place = end
      } else if (this.#mode === 'identify' || this.#mode === 'skip') {
        const end = Math.min(data.length, place + this.#leftBytes)
        if (this.#mode === 'identify') this.#identify(data.subarray(place, end), end - place)
        this.#advance(end - place)
        place = end
        passFrom = end
      }
    }
    flush(place)
    return { usedBytes: place, packets }
  }

  #advance(bytes: number): void {
    this.#leftBytes -= bytes
    if (this.#leftBytes > 0) return
    // It ended before it told its id: a malformed packet, of which nothing is acknowledged.
    if (this.#mode === 'identify') this.#leaveOut(undefined)
    this.#mode = 'header'
  }

  #readHeader(
    data: Buffer,
    place: number,
  ): { readonly headerBytes: number; readonly bodyBytes: number; readonly first: number } | undefined {
    const byteAt = (index: number): number | undefined =>
      index < this.#open.length ? this.#open[index] : data[place + index - this.#open.length]
    const first = byteAt(0)
    if (first === undefined) return undefined
    let bodyBytes = 0
    for (let index = 1; index <= maxLengthBytes; index++) {
      const byte = byteAt(index)
      if (byte === undefined) return undefined
      bodyBytes += (byte & 0x7f) * 128 ** (index - 1)
      if (byte < 0x80) return { headerBytes: index + 1, bodyBytes, first }
    }
    throw new AppError('MQTT_MALFORMED', 'what answers there speaks no MQTT: a packet has no length')
  }

  #isLeftOut({ bodyBytes, first }: { readonly bodyBytes: number; readonly first: number }): boolean {
    const isTooLong = bodyBytes > this.#maxPacketBytes
    const isMessage = first >> 4 === PUBLISH
    if (isTooLong && !isMessage)
      throw new AppError(
        'MQTT_MALFORMED',
        'what answers there speaks no MQTT: a packet is too long for its kind',
      )
    const qos = (first >> 1) & 3
    if (!isMessage || (!isTooLong && qos <= highestQos)) return false
    this.#qos = qos
    this.#reason = isTooLong ? 'too long' : 'not asked for'
    this.#mode = 'identify'
    return true
  }

  /** Looks for the packet id, which stands behind the topic (MQTT 5, 3.3.2). */
  #identify(data: Buffer, bytes: number): void {
    if (this.#qos === 0) {
      this.#leaveOut(undefined)
      return
    }
    const seen = Buffer.concat([this.#open, data.subarray(0, Math.min(bytes, 65_540))])
    const topicBytes = seen.length < 2 ? Number.POSITIVE_INFINITY : seen.readUInt16BE(0)
    if (seen.length < 2 + topicBytes + 2) this.#open = seen
    else this.#leaveOut(seen.readUInt16BE(2 + topicBytes))
  }

  #leaveOut(packetId: number | undefined): void {
    this.#open = Buffer.alloc(0)
    this.#mode = 'skip'
    this.#events.onLeftOut({ reason: this.#reason, qos: this.#qos, packetId })
  }
}
