import type { TObject, TSchema } from 'typebox'
import { choicesOf, schemaFacts } from './settings.ts'

/** One thing that is wrong with a configuration, for the person who wrote it. */
export interface Problem {
  /** File and line, variable or argument. */
  readonly where: string
  /** What is wrong and what would be right. */
  readonly what: string
}

interface SchemaError {
  readonly keyword: string
  readonly instancePath: string
  readonly message: string
  readonly params: object
}

/** Turns the findings of the schema checker into one sentence each; findings inside a choice count once. */
export function describeProblems(
  root: TObject,
  value: unknown,
  errors: readonly SchemaError[],
  originOf: (pointer: string) => string,
): readonly Problem[] {
  const problems = new Map<string, Problem>()
  for (const error of errors) {
    if (error.keyword === 'additionalProperties' || problems.has(error.instancePath)) continue
    if (error.keyword === 'required') {
      for (const key of missingKeys(error)) {
        const pointer = `${error.instancePath}/${key}`
        problems.set(pointer, { where: originOf(pointer), what: missing(schemaAt(root, pointer)) })
      }
      continue
    }
    const what =
      error.keyword === 'boolean'
        ? unknownKey(root, error.instancePath)
        : wrongValue(schemaAt(root, error.instancePath), valueAt(value, error.instancePath), error.message)
    problems.set(error.instancePath, { where: originOf(error.instancePath), what })
  }
  return [...problems.values()]
}

function missingKeys(error: SchemaError): readonly string[] {
  const { requiredProperties } = error.params as { requiredProperties?: readonly string[] }
  return requiredProperties ?? []
}

function missing(schema: TSchema | undefined): string {
  const description = schema === undefined ? undefined : schemaFacts(schema).description
  return `it is missing${description === undefined ? '' : ` (${description})`}`
}

function unknownKey(root: TObject, pointer: string): string {
  const cut = pointer.lastIndexOf('/')
  const parent = schemaAt(root, pointer.slice(0, cut))
  const known = parent === undefined ? [] : Object.keys(schemaFacts(parent).properties ?? {})
  const near = known.find((key) => isNear(key, pointer.slice(cut + 1)))
  return near === undefined
    ? `there is no such key; known here: ${known.join(', ')}`
    : `there is no such key; did you mean "${near}"?`
}

function wrongValue(schema: TSchema | undefined, value: unknown, message: string): string {
  if (schema === undefined) return message
  const facts = schemaFacts(schema)
  const shown = facts.secret === true ? 'the value' : shorten(JSON.stringify(value) ?? 'nothing')
  const choices = choicesOf(facts)
  if (choices.length > 0) return `${shown} is not one of ${choices.join(', ')}`
  if (facts.unit === 'duration') return `${shown} is not a duration such as 500ms, 30s or 1h`
  if (facts.unit === 'bytes') return `${shown} is not a size such as 64KiB or 10MiB`
  return `${shown} ${message.replace('must be', 'is wrong: it must be')}`
}

function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`
}

/** The schema that a JSON pointer leads to; undefined where the path leaves the schema. */
function schemaAt(root: TSchema, pointer: string): TSchema | undefined {
  let schema: TSchema | undefined = root
  for (const key of pointer.split('/').slice(1)) {
    if (schema === undefined) return undefined
    const facts = schemaFacts(schema) as { readonly items?: TSchema } & ReturnType<typeof schemaFacts>
    schema = facts.type === 'array' ? facts.items : facts.properties?.[key]
  }
  return schema
}

function valueAt(value: unknown, pointer: string): unknown {
  let found = value
  for (const key of pointer.split('/').slice(1)) {
    if (typeof found !== 'object' || found === null) return undefined
    found = (found as Record<string, unknown>)[key]
  }
  return found
}

/** Equal but for case and dashes, or at most two edits away. */
function isNear(known: string, given: string): boolean {
  const plain = (text: string): string => text.replaceAll(/[-_]/g, '').toLowerCase()
  return plain(known) === plain(given) || editDistance(plain(known), plain(given)) <= 2
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
