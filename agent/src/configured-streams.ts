import { isDeepStrictEqual } from 'node:util'
import type { StreamRule, StreamRules } from './feeds/rules.ts'

/** The streams that the configuration names, among those that scripts made: a reload touches only what it changes. */
export class ConfiguredStreams {
  readonly #rules: Pick<StreamRules, 'put' | 'delete'>
  #streams: readonly StreamRule[] = []

  constructor(rules: Pick<StreamRules, 'put' | 'delete'>) {
    this.#rules = rules
  }

  apply(streams: readonly StreamRule[]): void {
    const before = new Map(this.#streams.map((rule) => [rule.stream, rule]))
    for (const rule of streams) {
      if (!isDeepStrictEqual(before.get(rule.stream), rule)) this.#rules.put(rule)
      before.delete(rule.stream)
    }
    for (const stream of before.keys()) this.#rules.delete(stream)
    this.#streams = streams
  }
}
