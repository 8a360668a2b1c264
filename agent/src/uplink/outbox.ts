import type { Message } from '../feeds/feed-hub.ts'

export interface OutboxOptions {
  readonly maxBytes: number
  /** A command or reading that waited longer says nothing any more. */
  readonly maxAgeMs: number
}

interface Waiting {
  readonly message: Message
  readonly bornAtMs: number
}

/** A message takes at least this much of the budget, so that empty ones are bounded too. */
const overheadBytes = 64

/**
 * Messages that must not be lost over a short break of the link, in order.
 *
 * Invariants: never more than `maxBytes`; never gives out what is older than `maxAgeMs`; at the limit the oldest give
 * way; all that went in = given out + dropped + waiting.
 */
export class Outbox {
  readonly #options: OutboxOptions
  #waiting: Waiting[] = []
  /** Index of the oldest one in `#waiting`; what stands before it is gone. */
  #first = 0
  #bytes = 0
  #dropped = 0
  #droppedBytes = 0

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#waiting.length - this.#first
  }

  get bytes(): number {
    return this.#bytes
  }

  get dropped(): number {
    return this.#dropped
  }

  get droppedBytes(): number {
    return this.#droppedBytes
  }

  add(message: Message, nowMs: number): void {
    const bytes = cost(message)
    if (bytes > this.#options.maxBytes) {
      this.#countDrop(message)
      return
    }
    while (this.#bytes + bytes > this.#options.maxBytes) this.#dropFirst()
    this.#waiting.push({ message, bornAtMs: nowMs })
    this.#bytes += bytes
  }

  /** The oldest message that is still young enough; undefined when none waits. */
  take(nowMs: number): Message | undefined {
    this.expire(nowMs)
    const next = this.#waiting[this.#first]
    if (next === undefined) return undefined
    this.#removeFirst(next)
    return next.message
  }

  /** Drops what is too old. */
  expire(nowMs: number): void {
    for (;;) {
      const oldest = this.#waiting[this.#first]
      if (oldest === undefined || nowMs - oldest.bornAtMs <= this.#options.maxAgeMs) return
      this.#dropFirst()
    }
  }

  #dropFirst(): void {
    const oldest = this.#waiting[this.#first]
    if (oldest === undefined) return
    this.#removeFirst(oldest)
    this.#countDrop(oldest.message)
  }

  #removeFirst(oldest: Waiting): void {
    this.#bytes -= cost(oldest.message)
    this.#first += 1
    // Moved up now and then, so that taking is cheap however many wait.
    if (this.#first * 2 < this.#waiting.length) return
    this.#waiting = this.#waiting.slice(this.#first)
    this.#first = 0
  }

  #countDrop(message: Message): void {
    this.#dropped += 1
    this.#droppedBytes += message.data.length
  }
}

function cost(message: Message): number {
  return message.data.length + overheadBytes
}
