import type { DestinationRule, DestinationRules, PutResult, StreamRule, StreamRules } from '../feeds/rules.ts'
import { type AskedStreamRule, emptyDestinationRule, hiddenToken } from './rule-json.ts'

export interface RuleDeskOptions {
  readonly maxDestinations: number
  readonly maxStreams: number
}

export interface RuleDeskDeps {
  readonly destinations: DestinationRules
  readonly streams: StreamRules
}

/** Where rules are handed in, whichever way they come: it adds the limits of an API that anybody on the machine may use. */
export class RuleDesk {
  readonly #options: RuleDeskOptions
  readonly #destinations: DestinationRules
  readonly #streams: StreamRules

  constructor(options: RuleDeskOptions, { destinations, streams }: RuleDeskDeps) {
    this.#options = options
    this.#destinations = destinations
    this.#streams = streams
  }

  /** Adds or replaces; a refusal is a sentence for whoever asked, and the rule of that id stays as it was. */
  putDestination(rule: DestinationRule): PutResult {
    if (rule.token === hiddenToken) {
      const refusal = `token is "${hiddenToken}", which stands for a token when rules are listed; give the token itself`
      return { ok: false, refusal }
    }
    const isNew = this.#destinations.get(rule.id) === undefined
    if (isNew && this.#destinations.list().length >= this.#options.maxDestinations) {
      return { ok: false, refusal: tooMany('destination', this.#options.maxDestinations) }
    }
    return this.#destinations.put(rule)
  }

  putStream({ stream, feeds }: AskedStreamRule): PutResult {
    const isNew = this.#streams.get(stream) === undefined
    if (isNew && this.#streams.list().length >= this.#options.maxStreams) {
      return { ok: false, refusal: tooMany('stream', this.#options.maxStreams) }
    }
    this.#streams.put({ stream, feeds: feeds ?? [] })
    return { ok: true }
  }

  /** The empty rule where there is none of that id. */
  destination(id: string): DestinationRule {
    return this.#destinations.get(id) ?? emptyDestinationRule
  }

  listDestinations(): readonly DestinationRule[] {
    return this.#destinations.list()
  }

  stream(name: string): StreamRule | undefined {
    return this.#streams.get(name)
  }

  listStreams(): readonly StreamRule[] {
    return this.#streams.list()
  }

  deleteDestination(id: string): void {
    this.#destinations.delete(id)
  }

  deleteAllDestinations(): void {
    this.#destinations.deleteAll()
  }

  deleteStream(name: string): void {
    this.#streams.delete(name)
  }

  deleteAllStreams(): void {
    this.#streams.deleteAll()
  }
}

function tooMany(what: string, max: number): string {
  return `there are ${max} ${what} rules already, which is the limit; delete one first`
}
