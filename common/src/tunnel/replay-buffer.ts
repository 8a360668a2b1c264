/** Chunks below this are joined, so that many small ones cost no more memory than their bytes. */
const smallChunkBytes = 1_024
const slabBytes = 16_384

interface Chunk {
  readonly start: number
  /** Grows while it is the last one and lies in the slab. */
  data: Buffer
}

const gone: Chunk = { start: -1, data: Buffer.alloc(0) }

/**
 * The bytes of a stream from the first that is not acknowledged to the last that was read, by offset. Large chunks are
 * kept as they came, small ones are copied together. The caller bounds it (see `bytes`).
 */
export class ReplayBuffer {
  #chunks: Chunk[] = []
  /** Index of the first chunk that is still wanted. */
  #head = 0
  #start = 0
  #end = 0
  #slab = Buffer.alloc(0)
  #slabUsed = 0

  /** Offset of the first byte that is kept. */
  get start(): number {
    return this.#start
  }

  /** Offset behind the last byte. */
  get end(): number {
    return this.#end
  }

  get bytes(): number {
    return this.#end - this.#start
  }

  /** Appends. `data` must not change any more. */
  push(data: Buffer): void {
    if (data.length === 0) return
    if (data.length >= smallChunkBytes) this.#chunks.push({ start: this.#end, data })
    else this.#pushSmall(data)
    this.#end += data.length
  }

  #pushSmall(data: Buffer): void {
    if (this.#slabUsed + data.length > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(slabBytes)
      this.#slabUsed = 0
    }
    data.copy(this.#slab, this.#slabUsed)
    const last = this.#head < this.#chunks.length ? this.#chunks.at(-1) : undefined
    const isNeighbour =
      last !== undefined &&
      last.data.buffer === this.#slab.buffer &&
      last.data.byteOffset + last.data.length === this.#slab.byteOffset + this.#slabUsed
    if (isNeighbour) {
      const from = last.data.byteOffset - this.#slab.byteOffset
      last.data = this.#slab.subarray(from, this.#slabUsed + data.length)
    } else {
      this.#chunks.push({
        start: this.#end,
        data: this.#slab.subarray(this.#slabUsed, this.#slabUsed + data.length),
      })
    }
    this.#slabUsed += data.length
  }

  /** Forgets what lies before `offset`. */
  dropTo(offset: number): void {
    if (offset <= this.#start) return
    this.#start = Math.min(offset, this.#end)
    while (this.#head < this.#chunks.length) {
      const chunk = this.#chunks[this.#head]
      if (chunk === undefined || chunk.start + chunk.data.length > this.#start) break
      // The place stays for a while; the bytes must not.
      this.#chunks[this.#head] = gone
      this.#head += 1
    }
    // Moving the rest once per 64 chunks, or when nothing is left, costs next to nothing per chunk.
    if (this.#head === this.#chunks.length) {
      this.#chunks = []
      this.#head = 0
    } else if (this.#head >= 64 && this.#head * 2 >= this.#chunks.length) {
      this.#chunks = this.#chunks.slice(this.#head)
      this.#head = 0
    }
  }

  /**
   * Bytes from `offset` on: what lies in one piece, at most `maxBytes`, not copied. Empty at the end.
   * @throws {RangeError} where `offset` is not kept: a fault of the caller.
   */
  slice(offset: number, maxBytes: number): Buffer {
    if (offset < this.#start || offset > this.#end) {
      throw new RangeError(`offset ${offset} is not within ${this.#start}..${this.#end}`)
    }
    if (offset === this.#end) return Buffer.alloc(0)
    const chunk = this.#chunkAt(offset)
    const from = offset - chunk.start
    if (from === 0 && chunk.data.length <= maxBytes) return chunk.data
    return chunk.data.subarray(from, from + maxBytes)
  }

  #chunkAt(offset: number): Chunk {
    const last = this.#chunks.at(-1)
    if (last !== undefined && last.start <= offset) return last
    let low = this.#head
    let high = this.#chunks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((this.#chunks[middle]?.start ?? Infinity) <= offset) low = middle
      else high = middle - 1
    }
    const chunk = this.#chunks[low]
    if (chunk === undefined) throw new RangeError(`offset ${offset} is not kept`)
    return chunk
  }
}
