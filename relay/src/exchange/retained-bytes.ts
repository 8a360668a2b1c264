import type { Batch } from './batch.ts'

/** Counts the memory that slow readers keep alive together: a batch shared by many counts once. */
export class RetainedBytes {
  readonly #maxBytes: number
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  /** The limit is reached: no slow reader may keep more. */
  get isShort(): boolean {
    return this.#bytes >= this.#maxBytes
  }

  hold(batch: Batch): void {
    if (batch.holders === 0) this.#bytes += batch.memoryBytes
    batch.holders += 1
  }

  release(batch: Batch): void {
    batch.holders -= 1
    if (batch.holders === 0) this.#bytes -= batch.memoryBytes
  }
}
