import type { Batch } from './batch.ts'

/** What the readers of one topic keep of the common memory, in bytes. Only `RetainedBytes` changes it. */
export interface RetainedAccount {
  bytes: number
}

/**
 * Counts the memory that slow readers keep alive together, in their sockets and behind them: a batch shared by many
 * counts once, for its topic.
 */
export class RetainedBytes {
  readonly #maxBytes: number
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  /** More is kept than may be: somebody must give some back, see `relieveMemory`. */
  get isOver(): boolean {
    return this.#bytes > this.#maxBytes
  }

  hold(batch: Batch): void {
    if (batch.holders === 0) this.#add(batch, batch.memoryBytes)
    batch.holders += 1
  }

  release(batch: Batch): void {
    batch.holders -= 1
    if (batch.holders === 0) this.#add(batch, -batch.memoryBytes)
  }

  #add({ account }: Batch, bytes: number): void {
    this.#bytes += bytes
    account.bytes += bytes
  }
}
