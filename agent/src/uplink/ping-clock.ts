/** More pings than this are never under way; the peer has been given up long before. */
const maxUnderWay = 128

/**
 * Measures by pings how far behind the other end is: what was sent before a ping has arrived there when its pong comes
 * back. So it sees the backlog in the kernel's buffers too, which `bufferedAmount` does not show. Pure but for its
 * own memory; times are of the monotonic clock.
 */
export class PingClock {
  #next = 1
  #underWay: { readonly id: number; readonly atMs: number }[] = []
  #bestRoundTripMs = Number.POSITIVE_INFINITY
  #lastRoundTripMs: number | undefined

  /** The payload of a ping that goes out now. */
  ping(nowMs: number): Buffer {
    const id = this.#next
    this.#next += 1
    if (this.#underWay.length < maxUnderWay) this.#underWay.push({ id, atMs: nowMs })
    return Buffer.from(String(id))
  }

  /** A pong answers its ping and all before it (RFC 6455 5.5.3); one that fits none is ignored. */
  pong(payload: Buffer, nowMs: number): void {
    const index = this.#underWay.findIndex(({ id }) => String(id) === payload.toString('latin1'))
    const answered = this.#underWay[index]
    if (answered === undefined) return
    this.#underWay = this.#underWay.slice(index + 1)
    this.#lastRoundTripMs = nowMs - answered.atMs
    this.#bestRoundTripMs = Math.min(this.#bestRoundTripMs, this.#lastRoundTripMs)
  }

  /** Age of the oldest ping that was not answered; 0 when all were. */
  lagMs(nowMs: number): number {
    const [oldest] = this.#underWay
    return oldest === undefined ? 0 : nowMs - oldest.atMs
  }

  /** Undefined before the first pong. */
  get lastRoundTripMs(): number | undefined {
    return this.#lastRoundTripMs
  }

  /** `Infinity` before the first pong. */
  get bestRoundTripMs(): number {
    return this.#bestRoundTripMs
  }
}
