import type { TObject, TSchema } from 'typebox'
import { nearestName } from '../nearest-name.ts'
import { pointerKeys } from './read-yaml.ts'
import { choicesOf, type SchemaFacts, type Setting, schemaFacts } from './settings.ts'

/** One thing that is wrong with a configuration, for the person who wrote it. */
export interface Problem {
  /** File and line, variable or argument. */
  readonly where: string
  /** What is wrong and what would be right. */
  readonly what: string
}

export interface SchemaError {
  readonly keyword: string
  readonly instancePath: string
  readonly message: string
  readonly params: object
}

export interface ProblemContext {
  readonly root: TObject
  /** The whole value that was checked. */
  readonly value: unknown
  /** Where a value came from, in the words of the user. */
  readonly originOf: (pointer: string) => string
  /** The setting that a JSON pointer names, if it is one. */
  readonly settingOf: (pointer: string) => Setting | undefined
}

/** Turns the findings of the schema checker into one sentence for each place. */
export function describeProblems(
  errors: readonly SchemaError[],
  { root, value, originOf, settingOf }: ProblemContext,
): readonly Problem[] {
  const whatByPointer = new Map<string, string>()
  for (const error of errors) {
    const pointer = error.instancePath
    if (error.keyword === 'required') {
      for (const key of missingKeys(error)) {
        const missing = `${pointer}/${key}`
        whatByPointer.set(missing, missingValue(schemaAt(root, missing), settingOf(missing)))
      }
    } else if (error.keyword !== 'additionalProperties' && !whatByPointer.has(pointer)) {
      const what =
        error.keyword === 'boolean'
          ? unknownKey(root, pointer)
          : wrongValue(schemaAt(root, pointer), valueAt(value, pointer), error)
      whatByPointer.set(pointer, what)
    }
  }
  return [...whatByPointer].map(([pointer, what]) => ({ where: originOf(pointer), what }))
}

function missingKeys(error: SchemaError): readonly string[] {
  const { requiredProperties } = error.params as { requiredProperties?: readonly string[] }
  return requiredProperties ?? []
}

function missingValue(schema: TSchema | undefined, setting: Setting | undefined): string {
  const description = schema === undefined ? undefined : schemaFacts(schema).description
  const meaning = description === undefined ? '' : ` (${description})`
  if (setting === undefined) return `it is missing${meaning}`
  const ways = [setting.env[0], ...(setting.secret ? [] : [`--${setting.argument}`])]
  return `it is missing${meaning}; set it in the file or by ${ways.join(' or ')}`
}

function unknownKey(root: TObject, pointer: string): string {
  const keys = pointerKeys(pointer)
  const parent = schemaFor(root, keys.slice(0, -1))
  const known = parent === undefined ? [] : Object.keys(schemaFacts(parent).properties ?? {})
  const near = nearestName(keys.at(-1) ?? '', known)
  return near === undefined
    ? `there is no such key; known here: ${known.join(', ')}`
    : `there is no such key; did you mean "${near}"?`
}

function wrongValue(schema: TSchema | undefined, value: unknown, error: SchemaError): string {
  if (schema === undefined) return `the value is wrong: it ${error.message}`
  const facts = schemaFacts(schema)
  const expected = expectedValue(facts)
  const isEmpty = value === null || value === '' || (Array.isArray(value) && value.length === 0)
  if (isEmpty) return `it is empty; it needs ${expected}`
  if (error.keyword === 'uniqueItems') return 'the list has the same entry twice'
  const needsQuotes = facts.type === 'string' && (typeof value === 'number' || typeof value === 'boolean')
  const advice = needsQuotes && facts.unit === undefined ? '; put it in quotes' : ''
  return `${facts.secret === true ? 'the value' : shown(value)} is not ${expected}${advice}`
}

function expectedValue(facts: SchemaFacts): string {
  if (facts.expected !== undefined) return facts.expected
  const choices = choicesOf(facts)
  if (choices.length > 0) return `${choices.length > 1 ? 'one of ' : ''}${choices.join(', ')}`
  if (facts.anyOf !== undefined) return [...new Set(facts.anyOf.map(expectedValue))].join(' or ')
  switch (facts.type) {
    case 'integer':
      return `a whole number${range(facts.minimum, facts.maximum)}`
    case 'number':
      return `a number${range(facts.minimum, facts.maximum)}`
    case 'boolean':
      return 'true or false'
    case 'string':
      return expectedText(facts)
    case 'array':
      return `a list${range(facts.minItems, facts.maxItems, ' entries')}`
    default:
      return 'a section with keys of its own'
  }
}

function expectedText(facts: SchemaFacts): string {
  if (facts.unit === 'duration') return 'a duration such as 500ms, 30s or 1h'
  if (facts.unit === 'bytes') return 'a size such as 64KiB or 10MiB'
  if (facts.pattern !== undefined) return `a text that fits ${facts.pattern}`
  return `a text${range(facts.minLength, facts.maxLength, ' characters')}`
}

function range(least: number | undefined, most: number | undefined, of = ''): string {
  if (least !== undefined && most !== undefined) return ` from ${least} to ${most}${of}`
  if (least === 1 && of !== '') return ' that is not empty'
  if (least !== undefined) return ` of at least ${least}${of}`
  return most === undefined ? '' : ` of at most ${most}${of}`
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a section'
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`
}

function schemaAt(root: TSchema, pointer: string): TSchema | undefined {
  return schemaFor(root, pointerKeys(pointer))
}

/** The schema that keys lead to; undefined where they leave the schema. */
function schemaFor(root: TSchema, keys: readonly string[]): TSchema | undefined {
  let schema: TSchema | undefined = root
  for (const key of keys) {
    if (schema === undefined) return undefined
    const { type, items, properties } = schemaFacts(schema)
    schema = type === 'array' ? items : Object.hasOwn(properties ?? {}, key) ? properties?.[key] : undefined
  }
  return schema
}

function valueAt(value: unknown, pointer: string): unknown {
  let found = value
  for (const key of pointerKeys(pointer)) {
    if (typeof found !== 'object' || found === null) return undefined
    found = (found as Record<string, unknown>)[key]
  }
  return found
}
