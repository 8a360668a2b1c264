import { Batch, type Message } from './batch.ts'
import type { RetainedAccount } from './retained-bytes.ts'

/** Somebody who hears a topic. */
export interface Reader {
  /** Takes the frames `[from, to)` of a batch. */
  deliver(batch: Batch, from: number, to: number, nowMs: number): void
}

/** A batch is built at once when this much has come in, so that a flood is passed on in pieces. */
const largestBatchBytes = 262_144

/**
 * One unit of exchange. Messages of a turn are collected and leave together.
 *
 * Invariants: order per sender is kept; nobody hears a message of its own; who joins hears what is published after.
 */
export class Topic {
  /** What its readers keep of the memory for slow ones. */
  readonly #account: RetainedAccount = { bytes: 0 }
  readonly #readers = new Set<Reader>()
  #pending: Message[] = []
  #pendingBytes = 0

  get readerCount(): number {
    return this.#readers.size
  }

  add(reader: Reader): void {
    this.#readers.add(reader)
  }

  delete(reader: Reader): void {
    this.#readers.delete(reader)
  }

  /** Takes a message. True: flush now, the turn has brought enough. */
  collect(message: Message): boolean {
    this.#pending.push(message)
    this.#pendingBytes += message.payload.length
    return this.#pendingBytes >= largestBatchBytes
  }

  /** Hands everything collected to every reader but its sender. */
  flush(nowMs: number): void {
    if (this.#pending.length === 0) return
    const messages = this.#pending
    this.#pending = []
    this.#pendingBytes = 0
    if (this.#readers.size === 0 || this.#isOnlyHeardBySender(messages)) return
    const batch = new Batch(messages, this.#account)
    const senders = batch.isMixed ? new Set(batch.senders) : undefined
    for (const reader of this.#readers) {
      if (senders?.has(reader) === true) deliverWithoutOwn(reader, batch, nowMs)
      else if (reader !== batch.soleSender) reader.deliver(batch, 0, batch.count, nowMs)
    }
  }

  /** A lone reader that talks to itself needs no frames. */
  #isOnlyHeardBySender(messages: readonly Message[]): boolean {
    if (this.#readers.size !== 1) return false
    const [only] = this.#readers
    return messages.every(({ sender }) => sender === only)
  }
}

function deliverWithoutOwn(reader: Reader, batch: Batch, nowMs: number): void {
  let from = 0
  while (from < batch.count) {
    if (batch.senders[from] === reader) {
      from += 1
      continue
    }
    let to = from + 1
    while (to < batch.count && batch.senders[to] !== reader) to += 1
    reader.deliver(batch, from, to, nowMs)
    from = to
  }
}
