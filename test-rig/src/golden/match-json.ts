import { matchText, solePlaceholder, type TemplateValues } from './template.ts'

export interface JsonMatchOptions {
  readonly values: TemplateValues
  /** Objects may have more keys than expected. Lists still have the expected length. */
  readonly subset: boolean
}

/**
 * Compares JSON with an expectation. Returns undefined when it matches, else one sentence that names the first place
 * that does not. Texts are templates; a text that is `{{number}}`, `{{any}}` or `{{anything}}` alone stands for any
 * number, any text or any value.
 */
export function explainJsonMismatch(
  expected: unknown,
  actual: unknown,
  options: JsonMatchOptions,
): string | undefined {
  return compare(expected, actual, { ...options, path: '$' })
}

/** Compares a list with an expected one in any order; with `part`, more elements than expected may be there. */
export function explainSetMismatch(
  expected: readonly unknown[],
  actual: unknown,
  options: JsonMatchOptions & { readonly part: boolean },
): string | undefined {
  if (!Array.isArray(actual)) return `$: expected a list, got ${show(actual)}`
  const list: readonly unknown[] = actual
  if (!options.part && list.length !== expected.length) {
    return `$: expected ${String(expected.length)} elements in any order, got ${String(list.length)}: ${show(list)}`
  }
  const fits = (want: number, place: number): boolean =>
    explainJsonMismatch(expected[want], list[place], options) === undefined
  const holders: (number | undefined)[] = list.map(() => undefined)
  const unplaced = expected.findIndex((_want, index) => !findPlace(index, holders, fits, new Set()))
  if (unplaced === -1) return undefined
  return `$: no element of its own is like ${show(expected[unplaced])}; got ${show(list)}`
}

/**
 * One step of bipartite matching: gives `want` a place that fits, moving earlier ones to another of theirs where
 * needed, so that two alike expectations need two elements.
 */
function findPlace(
  want: number,
  holders: (number | undefined)[],
  fits: (want: number, place: number) => boolean,
  tried: Set<number>,
): boolean {
  for (const [place, holder] of holders.entries()) {
    if (tried.has(place) || !fits(want, place)) continue
    tried.add(place)
    if (holder === undefined || findPlace(holder, holders, fits, tried)) {
      holders[place] = want
      return true
    }
  }
  return false
}

interface Place extends JsonMatchOptions {
  readonly path: string
}

function compare(expected: unknown, actual: unknown, place: Place): string | undefined {
  if (typeof expected === 'string') return compareText(expected, actual, place)
  if (Array.isArray(expected)) return compareList(expected, actual, place)
  if (typeof expected === 'object' && expected !== null) return compareObject({ ...expected }, actual, place)
  return Object.is(expected, actual) ? undefined : differs(expected, actual, place)
}

function compareText(expected: string, actual: unknown, place: Place): string | undefined {
  const sole = solePlaceholder(expected)
  if (sole === 'anything') return actual === undefined ? differs(expected, actual, place) : undefined
  if (sole === 'number' && typeof actual === 'number') return undefined
  if (typeof actual !== 'string' || sole === 'number') return differs(expected, actual, place)
  return matchText(expected, actual, place.values) ? undefined : differs(expected, actual, place)
}

function compareList(expected: readonly unknown[], actual: unknown, place: Place): string | undefined {
  if (!Array.isArray(actual) || actual.length !== expected.length) return differs(expected, actual, place)
  for (const [index, want] of expected.entries()) {
    const problem = compare(want, actual[index], { ...place, path: `${place.path}[${String(index)}]` })
    if (problem !== undefined) return problem
  }
  return undefined
}

function compareObject(
  expected: Readonly<Record<string, unknown>>,
  actual: unknown,
  place: Place,
): string | undefined {
  if (typeof actual !== 'object' || actual === null || Array.isArray(actual))
    return differs(expected, actual, place)
  const found = new Map<string, unknown>(Object.entries(actual))
  for (const [key, want] of Object.entries(expected)) {
    const path = `${place.path}.${key}`
    if (!found.has(key)) return `${path}: missing, expected ${show(want)}`
    const problem = compare(want, found.get(key), { ...place, path })
    if (problem !== undefined) return problem
  }
  const extra = place.subset ? undefined : [...found.keys()].find((key) => !Object.hasOwn(expected, key))
  return extra === undefined
    ? undefined
    : `${place.path}.${extra}: not expected, got ${show(found.get(extra))}`
}

function differs(expected: unknown, actual: unknown, place: Place): string {
  return `${place.path}: expected ${show(expected)}, got ${show(actual)}`
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing'
}
