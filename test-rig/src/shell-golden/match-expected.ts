import { fillTemplate, secondsFromNow } from '../golden/template.ts'

/** Values by name; a match that succeeds adds what `{{name=kind}}` kept. */
export type KeptValues = Map<string, string>

const placeholder = /\{\{([^{}]+)\}\}/g
const escapable = /[.*+?^${}()|[\]\\/]/g
const duration = '(?:0|-?(?:\\d+(?:\\.\\d+)?(?:ns|µs|us|ms|s|m|h))+)'

/** Kinds of text that a placeholder may stand for. */
const kinds: ReadonlyMap<string, string> = new Map([
  ['uuid', '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'],
  ['code', '[A-Za-z0-9_-]{22,}'],
  ['number', '-?\\d+(?:\\.\\d+)?(?:[eE][+-]?\\d+)?'],
  ['time', '\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(?:\\.\\d+)?Z'],
  ['gotime', '\\d{4}-\\d{2}-\\d{2} \\d{2}:\\d{2}:\\d{2}(?:\\.\\d+)? [+-]\\d{4} \\S+(?: m=[+-]\\d+\\.\\d+)?'],
  ['duration', duration],
  ['jwt', '[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]*'],
  ['word', '\\w+'],
  ['any', '[^]*'],
])

/** Whether `actual` is the expected text; if so, what it names is kept. */
export function matchExpectedText(expected: string, actual: string, values: KeptValues): boolean {
  const names: string[] = []
  let source = ''
  let from = 0
  for (const hit of expected.matchAll(placeholder)) {
    source += escapeForRegExp(expected.slice(from, hit.index))
    source += sourceOf(hit[1] ?? '', values, names)
    from = hit.index + hit[0].length
  }
  source += escapeForRegExp(expected.slice(from))
  const found = new RegExp(`^${source}$`, 'u').exec(actual)
  if (found === null) return false
  for (const [index, name] of names.entries()) values.set(name, found[index + 1] ?? '')
  return true
}

function sourceOf(content: string, values: KeptValues, names: string[]): string {
  const [name = '', kind] = content.split('=')
  if (kind !== undefined) {
    names.push(name)
    return `(${kinds.get(kind) ?? '[^]*'})`
  }
  const value = values.get(name) ?? secondsFromNow(name)?.toString()
  if (value !== undefined) return escapeForRegExp(value)
  return kinds.get(name) ?? escapeForRegExp(fillTemplate(`{{${name}}}`, values))
}

/**
 * Compares JSON with an expectation and returns the first difference as a sentence. Keys are exact unless `"..."` is
 * true; `$has`, `$size` and `$none` speak of arrays in any order; a list in place of a text means any of them.
 */
export function explainExpectedJson(
  expected: unknown,
  actual: unknown,
  values: KeptValues,
  path = '$',
): string | undefined {
  const differs = `${path}: expected ${show(expected)}, got ${show(actual)}`
  if (typeof expected === 'string') {
    if (expected === '{{number}}' && typeof actual === 'number') return undefined
    return typeof actual === 'string' && matchExpectedText(expected, actual, values) ? undefined : differs
  }
  if (Array.isArray(expected)) return explainList(expected, actual, values, path) ?? undefined
  if (typeof expected !== 'object' || expected === null)
    return Object.is(expected, actual) ? undefined : differs
  const wanted = new Map<string, unknown>(Object.entries(expected))
  if (['$has', '$size', '$none'].some((key) => wanted.has(key)))
    return explainSet(wanted, actual, values, path)
  if (typeof actual !== 'object' || actual === null || Array.isArray(actual)) return differs
  const found = new Map<string, unknown>(Object.entries(actual))
  const isOpen = wanted.delete('...')
  for (const [key, want] of wanted) {
    if (!found.has(key)) return `${path}.${key}: missing, expected ${show(want)}`
    const problem = explainExpectedJson(want, found.get(key), values, `${path}.${key}`)
    if (problem !== undefined) return problem
  }
  const extra = isOpen ? undefined : [...found.keys()].find((key) => !wanted.has(key))
  return extra === undefined ? undefined : `${path}.${extra}: not expected`
}

function explainList(
  expected: readonly unknown[],
  actual: unknown,
  values: KeptValues,
  path: string,
): string | undefined {
  if (!Array.isArray(actual)) {
    const isOneOfThem = expected.some((each) => explainExpectedJson(each, actual, values) === undefined)
    return isOneOfThem ? undefined : `${path}: expected one of ${show(expected)}, got ${show(actual)}`
  }
  const list: readonly unknown[] = actual
  if (list.length !== expected.length)
    return `${path}: expected ${String(expected.length)} elements, got ${String(list.length)}`
  return expected
    .map((want, index) => explainExpectedJson(want, list[index], values, `${path}[${String(index)}]`))
    .find((problem) => problem !== undefined)
}

function explainSet(
  wanted: ReadonlyMap<string, unknown>,
  actual: unknown,
  values: KeptValues,
  path: string,
): string | undefined {
  if (!Array.isArray(actual)) return `${path}: expected an array, got ${show(actual)}`
  const rest: unknown[] = [...(actual as readonly unknown[])]
  const isLike = (want: unknown, each: unknown): boolean =>
    explainExpectedJson(want, each, values) === undefined
  const size = wanted.get('$size')
  if (size !== undefined && size !== rest.length)
    return `${path}: expected ${show(size)} elements, got ${String(rest.length)}: ${show(actual)}`
  const never = asList(wanted.get('$none')).find((want) => rest.some((each) => isLike(want, each)))
  if (never !== undefined) return `${path}: an element is like ${show(never)}: ${show(actual)}`
  for (const want of asList(wanted.get('$has'))) {
    const place = rest.findIndex((each) => isLike(want, each))
    if (place === -1) return `${path}: no element is like ${show(want)}: ${show(actual)}`
    rest.splice(place, 1)
  }
  return undefined
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing'
}

function escapeForRegExp(text: string): string {
  return text.replaceAll(escapable, '\\$&')
}
