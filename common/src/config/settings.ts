import type { TObject, TSchema } from 'typebox'

/** One program's configuration: the schema is type, check, defaults, help and documentation at once. */
export interface ConfigSpec<T extends TObject> {
  /** Name of the program, as users type it. */
  readonly program: string
  /** Environment variables begin with this, such as `RELAY`. */
  readonly envPrefix: string
  readonly schema: T
}

/** A single value of the configuration that can be given by environment and, unless secret, by argument. */
export interface Setting {
  /** Keys from the root of the file, such as `['access', 'port']`. */
  readonly path: readonly string[]
  readonly schema: TSchema
  readonly description: string
  /** `access-port`: the argument is `--access-port`. */
  readonly argument: string
  /** Its own variable first, then the older names. */
  readonly env: readonly string[]
  readonly secret: boolean
  readonly typeText: string
  readonly defaultText: string
}

/** The parts of a JSON schema that are looked at here. */
export interface SchemaFacts {
  readonly type?: string
  readonly anyOf?: readonly SchemaFacts[]
  readonly enum?: readonly unknown[]
  readonly const?: string | number | boolean
  readonly items?: SchemaFacts & TSchema
  readonly properties?: Readonly<Record<string, TSchema>>
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly pattern?: string
  readonly default?: unknown
  readonly description?: string
  readonly env?: readonly string[]
  readonly secret?: boolean
  readonly unit?: string
  readonly defaultText?: string
  readonly expected?: string
}

/** The JSON-schema facts of a TypeBox schema. */
export function schemaFacts(schema: TSchema): SchemaFacts {
  return schema
}

/** Every leaf of the schema, in its order. Lists of objects stand in the file only and are not among them. */
export function settingsOf(spec: ConfigSpec<TObject>): readonly Setting[] {
  return leavesOf(spec.schema, [], spec.envPrefix)
}

function leavesOf(schema: TSchema, path: readonly string[], envPrefix: string): Setting[] {
  const settings: Setting[] = []
  for (const [key, child] of Object.entries(schemaFacts(schema).properties ?? {})) {
    const facts = schemaFacts(child)
    const childPath = [...path, key]
    if (facts.type === 'object') settings.push(...leavesOf(child, childPath, envPrefix))
    else if (facts.type !== 'array' || facts.items?.type !== 'object')
      settings.push(leaf(child, childPath, envPrefix))
  }
  return settings
}

function leaf(schema: TSchema, path: readonly string[], envPrefix: string): Setting {
  const facts = schemaFacts(schema)
  const words = path.flatMap((key) =>
    key
      .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
      .toLowerCase()
      .split('-'),
  )
  return {
    path,
    schema,
    description: facts.description ?? '',
    argument: words.join('-'),
    env: [`${envPrefix}_${words.join('_').toUpperCase()}`, ...(facts.env ?? [])],
    secret: facts.secret === true,
    typeText: typeText(facts),
    defaultText: facts.defaultText ?? defaultText(facts.default),
  }
}

function typeText(facts: SchemaFacts): string {
  const choices = choicesOf(facts)
  if (choices.length > 0) return choices.join(' | ')
  if (facts.unit !== undefined) return facts.unit
  if (facts.type === 'array') return 'list'
  if (facts.type === 'integer') return 'whole number'
  return facts.type ?? 'value'
}

/** The texts that a setting may have, where it has a fixed list of them. */
export function choicesOf(facts: SchemaFacts): readonly string[] {
  if (facts.enum !== undefined) return facts.enum.map(String)
  if (facts.const !== undefined) return [String(facts.const)]
  const choices = (facts.anyOf ?? []).map(choicesOf)
  return choices.every((texts) => texts.length > 0) ? choices.flat() : []
}

function defaultText(value: unknown): string {
  if (value === undefined || value === '') return ''
  if (Array.isArray(value)) return value.join(',')
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : ''
}
