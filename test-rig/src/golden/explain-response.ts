import type { Expectation } from './golden-case.ts'
import type { HttpResponse } from './http-response-parser.ts'
import { explainJsonMismatch, explainSetMismatch } from './match-json.ts'
import type { HttpOutcome } from './raw-http.ts'
import { matchText, type TemplateValues } from './template.ts'

/** Everything in which an outcome differs from what is expected; empty when nothing does. */
export function explainOutcome(
  expected: Expectation,
  outcome: HttpOutcome,
  values: TemplateValues,
): readonly string[] {
  if (expected.dropped === true) {
    return outcome.kind === 'dropped' && outcome.receivedBytes === 0
      ? []
      : [`expected a connection closed without an answer, got ${describeOutcome(outcome)}`]
  }
  if (outcome.kind !== 'answered') return [`expected an answer, got ${describeOutcome(outcome)}`]
  return explainResponse(expected, outcome.response, values)
}

/** Everything in which an answer differs from what is expected. */
export function explainResponse(
  expected: Expectation,
  response: HttpResponse,
  values: TemplateValues,
): readonly string[] {
  const body = response.body.toString()
  const problems = [
    ...explainStatus(expected.status, response.status),
    ...explainHeaders(expected.headers ?? {}, response.headers, values),
    ...explainBody(expected, body, values),
    ...explainJson(expected, body, values),
  ]
  return problems.length === 0 ? [] : [...problems, `the answer was ${describeResponse(response)}`]
}

/** A status or close code that is not among the acceptable ones. */
export function explainStatus(
  expected: number | readonly number[] | undefined,
  actual: number,
  what = 'status',
): readonly string[] {
  if (expected === undefined || [expected].flat().includes(actual)) return []
  return [`${what}: expected ${[expected].flat().join(' or ')}, got ${String(actual)}`]
}

/** Headers that are missing, differ, or are there though they must not be. */
export function explainHeaders(
  expected: Readonly<Record<string, string | null>>,
  actual: ReadonlyMap<string, string>,
  values: TemplateValues,
): readonly string[] {
  return Object.entries(expected).flatMap(([name, want]) => {
    const got = actual.get(name.toLowerCase())
    if (want === null)
      return got === undefined ? [] : [`header ${name}: expected none, got ${JSON.stringify(got)}`]
    if (got !== undefined && matchText(want, got, values)) return []
    return [`header ${name}: expected ${JSON.stringify(want)}, got ${JSON.stringify(got) ?? 'none'}`]
  })
}

function explainBody(expected: Expectation, body: string, values: TemplateValues): readonly string[] {
  const wrong =
    expected.body === undefined || matchText(expected.body, body, values)
      ? []
      : [`body: expected ${JSON.stringify(expected.body)}, got ${JSON.stringify(body)}`]
  const missing = (expected.bodyContains ?? []).filter((part) => !body.includes(part))
  return [...wrong, ...missing.map((part) => `body: expected to contain ${JSON.stringify(part)}`)]
}

function explainJson(expected: Expectation, body: string, values: TemplateValues): readonly string[] {
  const { json, jsonContains, jsonSet, jsonHas } = expected
  if ([json, jsonContains, jsonSet, jsonHas].every((each) => each === undefined)) return []
  const parsed = parseJson(body)
  if (parsed === undefined) return [`body: expected JSON, got ${JSON.stringify(body)}`]
  const list = expected.at === undefined ? parsed.value : valueAt(parsed.value, expected.at)
  const problems = [
    json === undefined ? undefined : explainJsonMismatch(json, parsed.value, { values, subset: false }),
    jsonContains === undefined
      ? undefined
      : explainJsonMismatch(jsonContains, parsed.value, { values, subset: true }),
    jsonSet === undefined
      ? undefined
      : explainSetMismatch(jsonSet, list, { values, subset: false, part: false }),
    jsonHas === undefined
      ? undefined
      : explainSetMismatch(jsonHas, list, { values, subset: true, part: true }),
  ]
  return problems.filter((problem) => problem !== undefined).map((problem) => `json: ${problem}`)
}

/** The value of a JSON text; undefined for a text that is none. */
export function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return undefined
  }
}

function valueAt(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? new Map<string, unknown>(Object.entries(value)).get(key)
    : undefined
}

function describeOutcome(outcome: HttpOutcome): string {
  if (outcome.kind === 'answered') return describeResponse(outcome.response)
  return outcome.kind === 'silent'
    ? 'nothing in time'
    : `a close after ${String(outcome.receivedBytes)} bytes`
}

function describeResponse({ status, body }: HttpResponse): string {
  const text = body.toString()
  const shown = text.length > 300 ? `${text.slice(0, 300)}...` : text
  return `status ${String(status)} with body ${JSON.stringify(shown)}`
}
