/** A message takes at least this much of the budget, so that tiny ones are bounded too. */
const overheadBytes = 32

/**
 * What waits to be written to an instrument. When it is full the newest is refused: commands that are under way keep
 * their order and their beginning.
 */
export class WriteQueue {
  readonly #maxBytes: number
  #waiting: Buffer[] = []
  #bytes = 0

  constructor({ maxBytes }: { readonly maxBytes: number }) {
    this.#maxBytes = maxBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  get size(): number {
    return this.#waiting.length
  }

  /** False when there is no room: then nothing of it was taken. */
  add(data: Buffer): boolean {
    const bytes = data.length + overheadBytes
    if (this.#bytes + bytes > this.#maxBytes) return false
    this.#waiting.push(data)
    this.#bytes += bytes
    return true
  }

  /** The oldest; undefined when none waits. */
  take(): Buffer | undefined {
    const data = this.#waiting.shift()
    if (data !== undefined) this.#bytes -= data.length + overheadBytes
    return data
  }

  /** Empties it and says how many there were. */
  clear(): number {
    const count = this.#waiting.length
    this.#waiting = []
    this.#bytes = 0
    return count
  }
}
