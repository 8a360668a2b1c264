import type { Span } from './order-ledger.ts'

const maxWaiting = 10_000
const maxAnswered = 10_000

/** What became of numbered commands that each have one answer. Bounded: the oldest are forgotten. */
export class CommandLedger {
  readonly #waiting = new Map<number, number>()
  readonly #answered = new Map<number, number>()
  readonly #doubled: Span[] = []
  #sent = 0
  #answers = 0

  get sent(): number {
    return this.#sent
  }

  get answers(): number {
    return this.#answers
  }

  /** Answered a second time: carried out twice, or the answer came twice. */
  get doubled(): readonly Span[] {
    return this.#doubled
  }

  send(id: number, nowMs: number): void {
    this.#sent += 1
    this.#waiting.set(id, nowMs)
    forgetOldest(this.#waiting, maxWaiting)
  }

  /** Gives when the command was sent; undefined for one that was answered before or is unknown. */
  answer(id: number): number | undefined {
    const sentAtMs = this.#waiting.get(id)
    const firstSentAtMs = this.#answered.get(id)
    if (firstSentAtMs !== undefined && this.#doubled.length < maxAnswered)
      this.#doubled.push({ fromMs: firstSentAtMs, toMs: firstSentAtMs })
    if (sentAtMs === undefined) return undefined
    this.#waiting.delete(id)
    this.#answered.set(id, sentAtMs)
    forgetOldest(this.#answered, maxAnswered)
    this.#answers += 1
    return sentAtMs
  }

  /** When those were sent which have had no answer for longer than `withinMs`. */
  unanswered(nowMs: number, withinMs: number): readonly Span[] {
    return [...this.#waiting.values()]
      .filter((sentAtMs) => nowMs - sentAtMs > withinMs)
      .map((sentAtMs) => ({ fromMs: sentAtMs, toMs: sentAtMs }))
  }
}

/** A map keeps the order in which its keys came. */
function forgetOldest(map: Map<number, number>, most: number): void {
  for (const key of map.keys()) {
    if (map.size <= most) return
    map.delete(key)
  }
}
