import type { DestinationRule, StreamRule } from '../feeds/rules.ts'
import { goJsonMap, goJsonString, goJsonStrings } from './go-json-text.ts'
import { type GoJson, parseGoJson } from './parse-go-json.ts'

/** A stream rule as it was asked for: `feeds` is null where the request had none, which the answer repeats. */
export interface AskedStreamRule {
  readonly stream: string
  readonly feeds: readonly string[] | null
}

export type Decoded<T> =
  | { readonly ok: true; readonly rule: T }
  | { readonly ok: false; readonly error: string }

/** Stands for a token in what is listed; a rule that brings it back as its token is refused. */
export const hiddenToken = '(hidden)'

/** Reads a destination rule (spec session 7.2); errors are those of the Go parser. */
export function parseDestinationRule(bytes: Uint8Array): Decoded<DestinationRule> {
  const parsed = parseGoJson(bytes)
  return parsed.ok ? destinationRuleOf(parsed.value) : parsed
}

/** Reads a stream rule (spec session 7.1); errors are those of the Go parser. */
export function parseStreamRule(bytes: Uint8Array): Decoded<AskedStreamRule> {
  const parsed = parseGoJson(bytes)
  return parsed.ok ? streamRuleOf(parsed.value) : parsed
}

/** The same from JSON that was parsed already, such as the `rule` of an admin command. */
export function destinationRuleOf(value: GoJson): Decoded<DestinationRule> {
  const fields = new Fields(value, 'rwc.Rule')
  const rule = {
    id: fields.string('id'),
    stream: withoutSlash(fields.string('stream')),
    destination: fields.string('destination'),
    token: fields.string('token'),
    file: fields.string('file'),
  }
  const error = fields.error(['id', 'stream', 'destination', 'token', 'file'])
  return error === undefined ? { ok: true, rule } : { ok: false, error }
}

export function streamRuleOf(value: GoJson): Decoded<AskedStreamRule> {
  const fields = new Fields(value, 'agg.Rule')
  const rule = { stream: withoutSlash(fields.string('stream')), feeds: fields.strings('feeds') }
  const error = fields.error(['stream'], ['feeds'])
  return error === undefined ? { ok: true, rule } : { ok: false, error }
}

/** All five keys in the order of the old host, the token as it is. */
export function destinationRuleJson({ id, stream, destination, token, file }: DestinationRule): string {
  const values = { id, stream, destination, token, file }
  return `{${Object.entries(values)
    .map(([key, text]) => `"${key}":${goJsonString(text)}`)
    .join(',')}}`
}

/** The rule as it may be shown to anybody: a token is replaced by `(hidden)`, no token stays none. */
export function withHiddenToken(rule: DestinationRule): DestinationRule {
  return rule.token === '' ? rule : { ...rule, token: hiddenToken }
}

export function destinationRulesJson(rules: readonly DestinationRule[]): string {
  return goJsonMap(rules.map((rule) => [rule.id, destinationRuleJson(rule)]))
}

export function streamRuleJson({ stream, feeds }: AskedStreamRule): string {
  return `{"stream":${goJsonString(stream)},"feeds":${goJsonStrings(feeds)}}`
}

export function streamRulesJson(rules: readonly StreamRule[]): string {
  return goJsonMap(rules.map(({ stream, feeds }) => [stream, goJsonStrings(feeds)]))
}

/** What the old host shows for an id that does not exist. */
export const emptyDestinationRule: DestinationRule = {
  id: '',
  stream: '',
  destination: '',
  token: '',
  file: '',
}

/** Only one slash is taken away: `//x` is `/x` (spec session 7.1). */
function withoutSlash(name: string): string {
  return name.startsWith('/') ? name.slice(1) : name
}

/**
 * Fields of an object in the manner of Go: keys in any letter case, the last of several counts, null changes nothing,
 * unknown ones are ignored; `null` itself is an object without fields.
 */
export class Fields {
  readonly #entries: readonly (readonly [key: string, value: GoJson])[]
  readonly #typeError: string | undefined

  constructor(value: GoJson, goType: string) {
    this.#entries =
      value.kind === 'object' ? value.entries.map(([key, field]) => [foldCase(key), field] as const) : []
    const isWrong = value.kind !== 'object' && value.kind !== 'null'
    this.#typeError = isWrong
      ? `json: cannot unmarshal ${value.kind} into Go value of type ${goType}`
      : undefined
  }

  /** '' where it is missing or of another type. */
  string(name: string): string {
    const value = this.value(name)
    return value?.kind === 'string' ? value.text : ''
  }

  /** Null where it is missing or of another type. */
  strings(name: string): readonly string[] | null {
    const value = this.value(name)
    if (value?.kind !== 'array') return null
    return value.items.map((item) => (item.kind === 'string' ? item.text : ''))
  }

  /** The last value of that name which is not null. */
  value(name: string): GoJson | undefined {
    return this.#entries.findLast(([key, value]) => key === name && value.kind !== 'null')?.[1]
  }

  /** The first value of a wrong type, as Go reports it; undefined where all is well. */
  error(stringNames: readonly string[], listNames: readonly string[] = []): string | undefined {
    if (this.#typeError !== undefined) return this.#typeError
    for (const [key, value] of this.#entries) {
      if (value.kind === 'null') continue
      const field = `Go struct field Rule.${key}`
      if (stringNames.includes(key) && value.kind !== 'string') {
        return `json: cannot unmarshal ${value.kind} into ${field} of type string`
      }
      if (!listNames.includes(key)) continue
      if (value.kind !== 'array') return `json: cannot unmarshal ${value.kind} into ${field} of type []string`
      const wrong = value.items.find(({ kind }) => kind !== 'string' && kind !== 'null')
      if (wrong !== undefined) return `json: cannot unmarshal ${wrong.kind} into ${field} of type string`
    }
    return undefined
  }
}

/** Go folds the long s as well. */
function foldCase(key: string): string {
  return key.toLowerCase().replaceAll('\u017f', 's')
}
