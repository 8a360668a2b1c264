import type { FeedHub } from './feed-hub.ts'

/** Where messages of a feed or stream go (spec session 7.2). All strings, '' where nothing is meant. */
export interface DestinationRule {
  readonly id: string
  /** Feed, or stream with the prefix `stream/`; without a leading slash. */
  readonly stream: string
  /** With a token the address of the access API, else a ws or wss address to dial. */
  readonly destination: string
  /** The token itself. Never logged, and masked when listed. */
  readonly token: string
  /** Name of a file, inside the recording directory, that gets what goes out. */
  readonly file: string
}

/** Which feeds a stream gathers. The name has no leading slash. */
export interface StreamRule {
  readonly stream: string
  readonly feeds: readonly string[]
}

/** The link that carries out one rule. */
export interface RunningRule {
  /** Closes it with 1000 and resolves once everything it opened is released. Starts at once, also if not awaited. */
  stop(): Promise<void>
}

/** Looks whether a rule may run, and does nothing yet. A refusal is a sentence for the person who asked. */
export type PrepareRule = (rule: DestinationRule) => PreparedRule
export type PreparedRule =
  | { readonly ok: true; readonly start: () => RunningRule }
  | { readonly ok: false; readonly refusal: string }

export type PutResult = { readonly ok: true } | { readonly ok: false; readonly refusal: string }

/** An id that old programs reserve: a rule of that id is accepted and ignored (spec session 7.2). */
export const reservedId = 'deleteAll'

export interface DestinationRulesOptions {
  readonly prepare: PrepareRule
  /** Rules that `deleteAll` leaves alone, such as the one of `VW_API`. */
  readonly keptIds?: ReadonlySet<string>
}

/**
 * Owner of the destination rules and of the links that carry them out.
 *
 * Invariants: one running link per id; a link that was replaced or deleted has begun to close before its successor
 * starts; a rule that is refused leaves the one of its id as it was; after `close` nothing runs or starts.
 */
export class DestinationRules {
  readonly #prepare: PrepareRule
  readonly #keptIds: ReadonlySet<string>
  readonly #entries = new Map<string, { readonly rule: DestinationRule; readonly running: RunningRule }>()
  readonly #stopping = new Set<Promise<void>>()
  #isClosed = false

  constructor({ prepare, keptIds = new Set() }: DestinationRulesOptions) {
    this.#prepare = prepare
    this.#keptIds = keptIds
  }

  /** Adds the rule, or replaces the one of the same id; the reserved id is accepted and ignored. */
  put(rule: DestinationRule): PutResult {
    if (this.#isClosed) return { ok: false, refusal: 'the agent is stopping' }
    if (rule.id === reservedId) return { ok: true }
    const prepared = this.#prepare(rule)
    if (!prepared.ok) return prepared
    this.delete(rule.id)
    this.#entries.set(rule.id, { rule, running: prepared.start() })
    return { ok: true }
  }

  get(id: string): DestinationRule | undefined {
    return this.#entries.get(id)?.rule
  }

  /** All rules, ordered by id. */
  list(): readonly DestinationRule[] {
    return [...this.#entries.values()].map(({ rule }) => rule).sort((a, b) => compare(a.id, b.id))
  }

  /** Whether there was one. */
  delete(id: string): boolean {
    const entry = this.#entries.get(id)
    if (entry === undefined) return false
    this.#entries.delete(id)
    const stopped = entry.running.stop()
    this.#stopping.add(stopped)
    void stopped.finally(() => this.#stopping.delete(stopped))
    return true
  }

  /** Deletes every rule but the kept ones. */
  deleteAll(): void {
    for (const id of this.#entries.keys()) if (!this.#keptIds.has(id)) this.delete(id)
  }

  /** Ends every link, kept ones too; resolves once all are gone. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const id of this.#entries.keys()) this.delete(id)
    await Promise.all(this.#stopping)
  }
}

/** Owner of the stream rules; what it holds takes effect in the hub at once (spec session 7.3). */
export class StreamRules {
  readonly #hub: Pick<FeedHub, 'setStream' | 'deleteStream'>
  readonly #rules = new Map<string, StreamRule>()

  constructor(hub: Pick<FeedHub, 'setStream' | 'deleteStream'>) {
    this.#hub = hub
  }

  /** Adds or replaces. A name without the prefix `stream/` is kept and listed, and has no effect. */
  put(rule: StreamRule): void {
    this.#rules.set(rule.stream, rule)
    this.#hub.setStream(rule.stream, rule.feeds)
  }

  get(stream: string): StreamRule | undefined {
    return this.#rules.get(stream)
  }

  /** All rules, ordered by name. */
  list(): readonly StreamRule[] {
    return [...this.#rules.values()].sort((a, b) => compare(a.stream, b.stream))
  }

  /** Whether there was one. */
  delete(stream: string): boolean {
    this.#hub.deleteStream(stream)
    return this.#rules.delete(stream)
  }

  deleteAll(): void {
    for (const stream of this.#rules.keys()) this.delete(stream)
  }
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
