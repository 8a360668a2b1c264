const packetBytes = 188
const syncByte = 0x47
const nullPid = 0x1fff
const hasPayload = 0x10
const hasAdaptation = 0x20

/**
 * Watches the continuity counters of a transport stream (ISO/IEC 13818-1, 2.4.3.3), which tell missing packets apart
 * from mere silence. A counter has 4 bits: exactly 16 missing packets are not seen.
 */
export class TsContinuity {
  readonly #next = new Map<number, number>()
  #breaks = 0

  /** Counters that jumped, over all PIDs. A new encoder starts its counters anew, which is a break too. */
  get breaks(): number {
    return this.#breaks
  }

  /** Takes one message of whole packets; gives whether every one of them began as a packet does. */
  take(message: Uint8Array): boolean {
    for (let at = 0; at < message.length; at += packetBytes) {
      if (message[at] !== syncByte || at + packetBytes > message.length) return false
      this.#packet(message.subarray(at, at + packetBytes))
    }
    return true
  }

  #packet(packet: Uint8Array): void {
    const [, high = 0, low = 0, flags = 0, adaptationBytes = 0, adaptationFlags = 0] = packet
    const pid = ((high & 0x1f) << 8) | low
    // Only packets with a payload count.
    if (pid === nullPid || (flags & hasPayload) === 0) return
    const counter = flags & 0x0f
    const expected = this.#next.get(pid)
    const isToldOf = (flags & hasAdaptation) !== 0 && adaptationBytes > 0 && (adaptationFlags & 0x80) !== 0
    if (expected !== undefined && counter !== expected && !isToldOf) this.#breaks += 1
    this.#next.set(pid, (counter + 1) & 0x0f)
  }
}
