export interface SampleHistoryOptions {
  /** Rows kept; older ones are overwritten. */
  readonly capacity: number
  readonly maxFields: number
}

/** A run of rows, as positions for {@link SampleHistory.times} and {@link SampleHistory.values}. */
export interface SampleRange {
  readonly start: number
  readonly end: number
}

/**
 * The newest samples of an instrument, in memory that is taken once per field and never grows.
 *
 * Invariants: every value stands twice, `capacity` apart, so that any run of rows is contiguous and is handed to the
 * chart without a copy; times ascend strictly, as the chart demands; a field that a row does not mention keeps its last
 * value (NaN before the first).
 */
export class SampleHistory {
  readonly #capacity: number
  readonly #maxFields: number
  readonly #times: Float64Array
  readonly #columns: Float64Array[] = []
  readonly #indexByName = new Map<string, number>()
  #rows = 0

  constructor({ capacity, maxFields }: SampleHistoryOptions) {
    this.#capacity = capacity
    this.#maxFields = maxFields
    this.#times = new Float64Array(2 * capacity)
  }

  /** Names in the order in which they were first seen; the position is the field's index. */
  get fields(): readonly string[] {
    return [...this.#indexByName.keys()]
  }

  /** Rows ever begun: it has changed when there is something new to draw. */
  get rowsSeen(): number {
    return this.#rows
  }

  get fieldCount(): number {
    return this.#columns.length
  }

  /** How many rows are kept now. */
  get length(): number {
    return Math.min(this.#rows, this.#capacity)
  }

  /** Time of the newest row in seconds; undefined before the first. */
  get newestS(): number | undefined {
    return this.#rows === 0 ? undefined : this.#times[this.#slot(this.#rows - 1)]
  }

  /** Begins a row. A time that does not ascend is moved to just after the row before. */
  beginRow(timeS: number): void {
    const before = this.newestS
    const slot = this.#slot(this.#rows)
    this.#write(this.#times, slot, before === undefined || timeS > before ? timeS : before + 1e-6)
    for (const column of this.#columns) {
      this.#write(
        column,
        slot,
        this.#rows === 0 ? Number.NaN : (column[this.#slot(this.#rows - 1)] ?? Number.NaN),
      )
    }
    this.#rows += 1
  }

  /** Sets a field in the newest row. False where there is no room for another field. */
  set(name: string, value: number): boolean {
    let index = this.#indexByName.get(name)
    if (index === undefined) {
      if (this.#columns.length >= this.#maxFields) return false
      index = this.#columns.length
      this.#columns.push(new Float64Array(2 * this.#capacity).fill(Number.NaN))
      this.#indexByName.set(name, index)
    }
    const column = this.#columns[index]
    if (column !== undefined && this.#rows > 0) this.#write(column, this.#slot(this.#rows - 1), value)
    return true
  }

  /** The newest value of a field; undefined where it has none yet. */
  newest(name: string): number | undefined {
    const index = this.#indexByName.get(name)
    if (index === undefined || this.#rows === 0) return undefined
    const value = this.#columns[index]?.[this.#slot(this.#rows - 1)]
    return value === undefined || Number.isNaN(value) ? undefined : value
  }

  /** The rows from a time on. */
  rangeSince(sinceS: number): SampleRange {
    const end = this.#endPosition()
    let low = end - this.length
    let high = end
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#times[middle] ?? 0) < sinceS) low = middle + 1
      else high = middle
    }
    return { start: low, end }
  }

  /** A view, not a copy: good until the next row. */
  times({ start, end }: SampleRange): Float64Array {
    return this.#times.subarray(start, end)
  }

  /** A view, not a copy: good until the next row. */
  values(fieldIndex: number, { start, end }: SampleRange): Float64Array {
    return this.#columns[fieldIndex]?.subarray(start, end) ?? new Float64Array(0)
  }

  #slot(row: number): number {
    return row % this.#capacity
  }

  /** One past the newest row in the upper copy, so that `length` rows before it are contiguous. */
  #endPosition(): number {
    return this.#rows === 0 ? 0 : this.#slot(this.#rows - 1) + 1 + this.#capacity
  }

  #write(column: Float64Array, slot: number, value: number): void {
    column[slot] = value
    column[slot + this.#capacity] = value
  }
}
