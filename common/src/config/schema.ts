import { type TCodec, type TObject, type TSchema, type TString, Type } from 'typebox'

/** What every setting may say about itself beyond its JSON schema. */
export interface SettingNotes {
  /** One line, for `--help` and the README. */
  readonly description: string
  /** Older names of its environment variable, in the order in which they count. */
  readonly env?: readonly string[]
  /** Its value is never shown; it can be given by file or environment but not as an argument. */
  readonly secret?: boolean
  /** Shown in place of the default where that says more. */
  readonly defaultText?: string
  /** What a right value is, for the sentence about a wrong one: `an address that begins with wss:// or ws://`. */
  readonly expected?: string
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const unitBytes: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1_048_576, GiB: 1_073_741_824 }
// At most so many digits that the result is still an exact number.
const durationPattern = '^(0|([0-9]{1,7}(\\.[0-9]{1,6})?(s|m|h|d)|[0-9]{1,15}(\\.[0-9]{1,6})?ms)+)$'
const bytesPattern = '^([0-9]{1,6}(\\.[0-9]{1,6})?(KiB|MiB|GiB)|[0-9]{1,15}B)$'

/** A time span, written `500ms`, `30s`, `1m30s`, `2h` or `7d`; decoded to milliseconds. */
export function Duration(options: SettingNotes & { readonly default?: string }): TCodec<TString, number> {
  return Type.Codec(Type.String({ ...options, pattern: durationPattern, unit: 'duration' }))
    .Decode(parseDurationMs)
    .Encode((ms) => `${ms}ms`)
}

/** A size, written `512B`, `64KiB`, `10MiB` or `1GiB`; decoded to bytes. */
export function Bytes(options: SettingNotes & { readonly default?: string }): TCodec<TString, number> {
  return Type.Codec(Type.String({ ...options, pattern: bytesPattern, unit: 'bytes' }))
    .Decode(parseBytes)
    .Encode((bytes) => `${bytes}B`)
}

/** Milliseconds of a text that fits the form of `Duration`. */
export function parseDurationMs(text: string): number {
  let ms = 0
  for (const [, amount, unit] of text.matchAll(/([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)/g)) {
    ms += Number(amount) * (unitMs[unit ?? ''] ?? 0)
  }
  return Math.round(ms)
}

/** Bytes of a text that fits the form of `Bytes`. */
export function parseBytes(text: string): number {
  const [, amount, unit] = /^([0-9]+(?:\.[0-9]+)?)(B|KiB|MiB|GiB)$/.exec(text) ?? []
  return Math.round(Number(amount ?? 0) * (unitBytes[unit ?? ''] ?? 0))
}

/**
 * A closed object: keys that are not named are refused. Use it for every section of a configuration. A section that
 * may be absent is `Type.Optional(Section({...}, { optional: true }))`; any other is there, with its defaults.
 */
export function Section<T extends Record<string, TSchema>>(
  properties: T,
  { description, optional = false }: { readonly description?: string; readonly optional?: boolean } = {},
): TObject<T> {
  return Type.Object(properties, {
    additionalProperties: false,
    ...(description === undefined ? {} : { description }),
    ...(optional ? {} : { default: {} }),
  })
}
