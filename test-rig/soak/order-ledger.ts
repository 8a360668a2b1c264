/** One numbered message. */
export interface Numbered {
  /** Which life of its source it is of; a later one has a higher number. */
  readonly run: number
  /** Counts from 0 within a run, without leaving any out. */
  readonly seq: number
  /** When its source made it. */
  readonly bornAtMs: number
}

/** When something went missing or wrong: the messages in question were made within this time. */
export interface Span {
  readonly fromMs: number
  readonly toMs: number
}

export interface Loss extends Span {
  readonly messages: number
}

/** Missing numbers that are remembered, to tell a late message from a double one. */
const maxRemembered = 10_000
/** More findings than this are counted and not kept one by one. */
const maxKept = 10_000

/**
 * Tells lost, doubled and late messages apart by their numbers. Invariants: bounded memory; each missing number is
 * counted once as lost, and taken back when it comes after all (then it is late).
 */
export class OrderLedger {
  readonly #losses: Loss[] = []
  readonly #doubled: Span[] = []
  readonly #late: Span[] = []
  readonly #missing = new Set<number>()
  #last: Numbered | undefined
  #received = 0
  #unkept = 0

  get received(): number {
    return this.#received
  }

  /** Each run of missing numbers, those included which came late. */
  get losses(): readonly Loss[] {
    return this.#losses
  }

  get doubled(): readonly Span[] {
    return this.#doubled
  }

  /** Came after one that was made later. */
  get late(): readonly Span[] {
    return this.#late
  }

  /** Findings beyond those that are kept; 0 in any run worth reading. */
  get unkept(): number {
    return this.#unkept
  }

  take(message: Numbered): void {
    const last = this.#last
    this.#received += 1
    if (last === undefined) this.#last = message
    else if (message.run > last.run) this.#newRun(message, last)
    else if (message.run < last.run) this.#keep(this.#late, spanOf(message))
    else if (message.seq > last.seq) this.#forward(message, last)
    else if (this.#missing.delete(message.seq)) this.#keep(this.#late, spanOf(message))
    else this.#keep(this.#doubled, spanOf(message))
  }

  /** What the last run said at its end and nobody heard cannot be known: it is not counted. */
  #newRun(message: Numbered, last: Numbered): void {
    this.#missing.clear()
    this.#lose({ first: 0, next: message.seq }, { fromMs: last.bornAtMs, toMs: message.bornAtMs })
    this.#last = message
  }

  #forward(message: Numbered, last: Numbered): void {
    this.#lose({ first: last.seq + 1, next: message.seq }, { fromMs: last.bornAtMs, toMs: message.bornAtMs })
    this.#last = message
  }

  #lose({ first, next }: { readonly first: number; readonly next: number }, span: Span): void {
    if (next <= first) return
    for (let seq = first; seq < next && this.#missing.size < maxRemembered; seq += 1) this.#missing.add(seq)
    this.#keep(this.#losses, { ...span, messages: next - first })
  }

  #keep<T>(list: T[], found: T): void {
    if (list.length < maxKept) list.push(found)
    else this.#unkept += 1
  }
}

function spanOf({ bornAtMs }: Numbered): Span {
  return { fromMs: bornAtMs, toMs: bornAtMs }
}
