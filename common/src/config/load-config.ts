import type { StaticDecode, TObject } from 'typebox'
import { System } from 'typebox/system'
import { Value } from 'typebox/value'
import { invalidConfig } from './invalid-config.ts'
import { describeProblems, type SchemaError } from './problems.ts'
import { type ConfigFile, escapePointer, pointerKeys, readYaml } from './read-yaml.ts'
import { type ConfigSpec, type Setting, schemaFacts, settingsOf } from './settings.ts'

export interface ConfigSources {
  readonly file?: ConfigFile | undefined
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** By argument name without dashes, such as `access-port`; others are ignored. */
  readonly arguments?: Readonly<Record<string, unknown>>
}

type Tree = Record<string, unknown>

/**
 * Merges defaults, file (YAML), environment and arguments, the later ones winning, checks the whole, and gives a
 * frozen, typed value with durations in ms and sizes in bytes. An environment variable that is empty counts as unset,
 * as does a section of the file without content.
 * @throws {ConfigError} `CONFIG_INVALID`: every problem at once, one line each, unknown keys among them.
 */
export function loadConfig<T extends TObject>(
  spec: ConfigSpec<T>,
  { file, environment = {}, arguments: given = {} }: ConfigSources,
): Readonly<StaticDecode<T>> {
  const yaml = file === undefined ? undefined : readYaml(file)
  const tree: Tree = yaml?.tree ?? {}
  dropEmptySections(tree, spec.schema)
  const settings = settingsOf(spec)
  const names = new Map<string, string>()
  for (const setting of settings) {
    const variable = setting.env.find((name) => (environment[name] ?? '') !== '')
    if (variable !== undefined) place(tree, setting, environment[variable], variable, names)
    const argument = given[setting.argument]
    if (argument !== undefined) place(tree, setting, argument, `--${setting.argument}`, names)
  }
  const value: unknown = Value.Default(spec.schema, tree)
  const isFileReadable = yaml === undefined || yaml.problems.length === 0
  // What is missing may well stand in a file that could not be read.
  const errors = schemaErrors(spec.schema, value).filter((e) => isFileReadable || e.keyword !== 'required')
  const settingByPointer = new Map(settings.map((setting) => [pointerOf(setting), setting]))
  const problems = describeProblems(errors, {
    root: spec.schema,
    value,
    originOf: (pointer) => nameOf(pointer, names) ?? placeInFile(pointer, file?.path, yaml?.lines),
    settingOf: (pointer) => settingByPointer.get(pointer),
  })
  const all = [...(yaml?.problems ?? []), ...problems]
  if (all.length > 0) throw invalidConfig(spec.program, all)
  return deepFreeze(Value.Decode(spec.schema, value))
}

/** The variable or argument that gave a value or the list that it stands in; undefined where the file did. */
function nameOf(pointer: string, names: ReadonlyMap<string, string>): string | undefined {
  return names.get(pointer) ?? names.get(pointer.slice(0, pointer.lastIndexOf('/')))
}

function schemaErrors(schema: TObject, value: unknown): readonly SchemaError[] {
  // The library stops at 8 problems unless told otherwise; the setting is put back for whoever else uses it.
  const before = System.Settings.Get().maxErrors
  System.Settings.Set({ maxErrors: 100 })
  try {
    return Value.Errors(schema, value)
  } finally {
    System.Settings.Set({ maxErrors: before })
  }
}

/** How problems name a value by its JSON pointer: `agent.yaml line 7: cameras[0].device`; `lines` are of `readYaml`. */
export function placeInFile(
  pointer: string,
  path: string | undefined,
  lines: ReadonlyMap<string, number> = new Map(),
): string {
  const key = pointerKeys(pointer)
    .map((part) => (/^[0-9]+$/.test(part) ? `[${part}]` : `.${part}`))
    .join('')
    .replace(/^\./, '')
  if (path === undefined) return key === '' ? 'the configuration' : key
  let lookup = pointer
  while (lookup !== '' && !lines.has(lookup)) lookup = lookup.slice(0, lookup.lastIndexOf('/'))
  const line = lines.get(lookup)
  return `${path}${line === undefined ? '' : ` line ${line}`}${key === '' ? '' : `: ${key}`}`
}

/** `access:` with nothing under it says no more than leaving it out. */
function dropEmptySections(tree: Tree, schema: TObject): void {
  for (const [key, child] of Object.entries(schema.properties)) {
    const facts = schemaFacts(child)
    const value = Object.hasOwn(tree, key) ? tree[key] : undefined
    if (value === null && (facts.type === 'object' || facts.type === 'array')) delete tree[key]
    else if (isTree(value) && facts.type === 'object' && facts.properties !== undefined)
      dropEmptySections(value, child as TObject)
  }
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function pointerOf({ path }: Setting): string {
  return path.map((key) => `/${escapePointer(key)}`).join('')
}

function place(tree: Tree, setting: Setting, raw: unknown, name: string, names: Map<string, string>): void {
  let target = tree
  for (const key of setting.path.slice(0, -1)) {
    const next = (target[key] ??= {})
    // The file has a value where a section belongs: that is reported, and not hidden by what comes later.
    if (!isTree(next)) return
    target = next
  }
  target[setting.path.at(-1) ?? ''] = convert(schemaFacts(setting.schema), raw)
  names.set(pointerOf(setting), name)
}

/** Texts from the environment and the command line become numbers, booleans and lists where the schema wants them. */
function convert(facts: ReturnType<typeof schemaFacts>, raw: unknown): unknown {
  if (typeof raw !== 'string') return raw
  const text = raw.trim()
  // A list of choices may hold numbers.
  if (facts.enum !== undefined) return facts.enum.find((choice) => String(choice) === text) ?? raw
  switch (facts.type) {
    case 'array':
      return text === '' ? [] : text.split(',').map((item) => convert(facts.items ?? {}, item.trim()))
    case 'integer':
    case 'number':
      return /^-?[0-9]{1,15}(\.[0-9]{1,15})?$/.test(text) ? Number(text) : raw
    case 'boolean':
      if (['1', 't', 'T', 'TRUE', 'true', 'True', 'yes', 'on'].includes(text)) return true
      if (['0', 'f', 'F', 'FALSE', 'false', 'False', 'no', 'off'].includes(text)) return false
      return raw
    default:
      return raw
  }
}

function deepFreeze<V>(value: V): Readonly<V> {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value)
    for (const child of Object.values(value)) deepFreeze(child)
  }
  return value
}
