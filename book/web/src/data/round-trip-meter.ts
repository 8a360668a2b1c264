/** A ping without an answer for so long is lost. */
const lostAfterMs = 10_000
/** After so many lost in a row the instrument does not know `ping`: it is asked rarely, not never. */
const lostUntilRare = 4
const rareEveryMs = 30_000
const keptResults = 15

/**
 * Measures the way to the instrument and back: {"cmd":"ping","id":n} is answered by {"pong":n}. Numbers begin at
 * random, because all viewers of a topic hear all answers and must not take another's for their own.
 */
export class RoundTripMeter {
  readonly #sentAtMs = new Map<number, number>()
  #results: number[] = []
  #nextId: number
  #lostInARow = 0
  #lastPingMs = Number.NEGATIVE_INFINITY

  constructor(random: () => number) {
    // Small enough for a 32-bit microcontroller, whatever is added to it.
    this.#nextId = 1 + Math.floor(random() * 2_000_000_000)
  }

  /** The number of the ping to send now; undefined when none is due. Ask as often as pings shall be sent. */
  nextPing(nowMs: number): number | undefined {
    this.#dropLost(nowMs)
    if (this.#lostInARow >= lostUntilRare && nowMs - this.#lastPingMs < rareEveryMs) return undefined
    const id = this.#nextId
    this.#nextId += 1
    this.#lastPingMs = nowMs
    this.#sentAtMs.set(id, nowMs)
    return id
  }

  /** The ping could not be sent. */
  withdraw(id: number): void {
    this.#sentAtMs.delete(id)
  }

  /** Takes an answer; false where it is not one of ours. */
  takePong(id: number, nowMs: number): boolean {
    const sentAtMs = this.#sentAtMs.get(id)
    if (sentAtMs === undefined) return false
    this.#sentAtMs.delete(id)
    this.#lostInARow = 0
    this.#results = [...this.#results, nowMs - sentAtMs].slice(-keptResults)
    return true
  }

  /** Median of the last round trips; undefined where the instrument has not answered lately. */
  get medianMs(): number | undefined {
    if (this.#lostInARow >= lostUntilRare) return undefined
    const sorted = this.#results.toSorted((a, b) => a - b)
    return sorted[Math.floor(sorted.length / 2)]
  }

  /** A new link: what is under way is gone with the old one. */
  reset(): void {
    this.#sentAtMs.clear()
    this.#results = []
    this.#lostInARow = 0
  }

  #dropLost(nowMs: number): void {
    for (const [id, sentAtMs] of this.#sentAtMs) {
      if (nowMs - sentAtMs < lostAfterMs) continue
      this.#sentAtMs.delete(id)
      this.#lostInARow += 1
    }
  }
}
