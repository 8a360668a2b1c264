import { AppError } from '@relay/common/errors'

/** What a case may name between double braces: fixed facts, addresses of started servers, and saved values. */
export type TemplateValues = ReadonlyMap<string, string>

const placeholder = /\{\{([^{}]+)\}\}/g
const nowPlaceholder = /^now([+-]\d+(?:\.\d+)?)?$/
const escapable = /[.*+?^${}()|[\]\\/]/g

/** Placeholders that stand for many texts; they mean something in expectations only. */
const patterns: ReadonlyMap<string, string> = new Map([
  ['uuid', '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'],
  ['number', '-?\\d+(?:\\.\\d+)?(?:[eE][+-]?\\d+)?'],
  ['time', '\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(?:\\.\\d+)?Z'],
  ['goTime', '\\d{4}-\\d{2}-\\d{2} \\d{2}:\\d{2}:\\d{2}(?:\\.\\d+)? [+-]\\d{4} \\S+(?: m=[+-]\\d+\\.\\d+)?'],
  ['duration', '(?:0|-?(?:\\d+(?:\\.\\d+)?(?:ns|µs|us|ms|s|m|h))+)'],
  ['any', '[^]*'],
])

/** Puts values into the placeholders of a text to send. Throws `GOLDEN_TEMPLATE` for a name that has no value. */
export function fillTemplate(text: string, values: TemplateValues): string {
  return text.replaceAll(placeholder, (_whole, name: string) => valueOf(name, text, values))
}

/** Whether `actual` is the expected text, where pattern placeholders stand for any text of their kind. */
export function matchText(expected: string, actual: string, values: TemplateValues): boolean {
  let source = ''
  let from = 0
  for (const hit of expected.matchAll(placeholder)) {
    const name = hit[1] ?? ''
    source += escapeForRegExp(expected.slice(from, hit.index))
    source += patterns.get(name) ?? escapeForRegExp(valueOf(name, expected, values))
    from = hit.index + hit[0].length
  }
  source += escapeForRegExp(expected.slice(from))
  return new RegExp(`^${source}$`, 'u').test(actual)
}

/** The name of the placeholder that is the whole text, or undefined. */
export function solePlaceholder(text: string): string | undefined {
  return /^\{\{([^{}]+)\}\}$/.exec(text)?.[1]
}

/** Unix seconds for `now`, `now+60`, `now-1.5`: the current whole second plus the offset; undefined for other texts. */
export function secondsFromNow(text: string): number | undefined {
  const hit = nowPlaceholder.exec(text)
  if (hit === null) return undefined
  return Math.floor(Date.now() / 1000) + Number(hit[1] ?? '0')
}

function valueOf(name: string, text: string, values: TemplateValues): string {
  const value = values.get(name) ?? secondsFromNow(name)?.toString()
  if (value !== undefined) return value
  throw new AppError('GOLDEN_TEMPLATE', `no value for {{${name}}} in ${JSON.stringify(text)}`, {
    details: { known: [...values.keys()] },
  })
}

function escapeForRegExp(text: string): string {
  return text.replaceAll(escapable, '\\$&')
}
