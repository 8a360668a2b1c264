import type { StatsCarrier } from '@relay/common/server/stats/stats-topic'
import type { Link } from './link.ts'

const statsTopicName = 'stats'

/**
 * Links on the reserved id `stats`. They hear reports and nothing else: what one of them sends is a question to the
 * relay and goes to no other, and nobody is told when one leaves. The old relays passed on both (spec shell 5.2), and
 * their consumers must skip it.
 */
export class ReportReaders implements StatsCarrier {
  readonly #links = new Set<Link>()
  readonly #monotonicMs: () => number
  readonly #wrote: (reader: Link) => void
  #onMessage: ((payload: Buffer) => void) | undefined

  /** `wrote` is called after each report for a reader, who may be slow. */
  constructor(monotonicMs: () => number, wrote: (reader: Link) => void) {
    this.#monotonicMs = monotonicMs
    this.#wrote = wrote
  }

  get size(): number {
    return this.#links.size
  }

  all(): Iterable<Link> {
    return this.#links
  }

  /** It hears reports from here on. `left` is called when it has gone. */
  add(link: Link, left: () => void): void {
    this.#links.add(link)
    link.begin(
      {
        message: (payload) => this.#onMessage?.(payload),
        drained: ignore,
        left: () => {
          this.#links.delete(link)
          left()
        },
      },
      this.#monotonicMs(),
    )
  }

  /** There is no topic but `stats`. */
  listenTo(topic: string, onMessage: (payload: Buffer) => void): void {
    if (topic === statsTopicName) this.#onMessage = onMessage
  }

  hasReaders(topic: string): boolean {
    return topic === statsTopicName && this.#links.size > 0
  }

  publish(_topic: string, text: string): void {
    const nowMs = this.#monotonicMs()
    for (const reader of this.#links) {
      reader.tell(text, nowMs)
      this.#wrote(reader)
    }
  }
}

function ignore(): void {}
