import type { StaticDecode, TObject } from 'typebox'
import { System } from 'typebox/system'
import { Value } from 'typebox/value'
import { LineCounter, parseDocument } from 'yaml'
import { ConfigError } from '../errors.ts'
import { describeProblems, type Problem } from './problems.ts'
import { type ConfigSpec, type Setting, schemaFacts, settingsOf } from './settings.ts'

export interface ConfigSources {
  readonly file?: { readonly path: string; readonly text: string } | undefined
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** By argument name without dashes, such as `access-port`; others are ignored. */
  readonly arguments?: Readonly<Record<string, unknown>>
}

type Tree = Record<string, unknown>
/** Where a value came from, by JSON pointer: the name by which the user knows it. */
type Origins = Map<string, string>

/**
 * Merges defaults, file (YAML), environment and arguments, the later ones winning, checks the whole, and gives a
 * frozen, typed value with durations in ms and sizes in bytes. An environment variable that is empty counts as unset.
 * @throws {ConfigError} `CONFIG_INVALID`: every problem at once, one line each, unknown keys among them.
 */
export function loadConfig<T extends TObject>(
  spec: ConfigSpec<T>,
  { file, environment = {}, arguments: given = {} }: ConfigSources,
): Readonly<StaticDecode<T>> {
  const origins: Origins = new Map()
  const problems: Problem[] = []
  const tree: Tree = file === undefined ? {} : readFile(file, origins, problems)
  for (const setting of settingsOf(spec)) {
    const variable = setting.env.find((name) => (environment[name] ?? '') !== '')
    if (variable !== undefined) place(tree, setting, environment[variable], variable, origins)
    const argument = given[setting.argument]
    if (argument !== undefined) place(tree, setting, argument, `--${setting.argument}`, origins)
  }
  const value: unknown = Value.Default(spec.schema, tree)
  problems.push(...check(spec.schema, value, origins, file?.path))
  if (problems.length > 0) throw invalid(spec.program, problems)
  return deepFreeze(Value.Decode(spec.schema, value))
}

function invalid(program: string, problems: readonly Problem[]): ConfigError {
  const lines = problems.map(({ where, what }) => `${where}: ${what}`)
  const count = lines.length === 1 ? 'is wrong' : `has ${lines.length} problems`
  return new ConfigError(
    'CONFIG_INVALID',
    `the configuration of ${program} ${count}\n  ${lines.join('\n  ')}`,
    {
      details: { problems: lines },
    },
  )
}

function check(
  schema: TObject,
  value: unknown,
  origins: Origins,
  path: string | undefined,
): readonly Problem[] {
  // The library stops at 8 problems unless told otherwise; the setting is put back for whoever else uses it.
  const before = System.Settings.Get().maxErrors
  System.Settings.Set({ maxErrors: 100 })
  try {
    return describeProblems(schema, value, Value.Errors(schema, value), (pointer) =>
      origin(pointer, origins, path),
    )
  } finally {
    System.Settings.Set({ maxErrors: before })
  }
}

function origin(pointer: string, origins: Origins, path: string | undefined): string {
  const key = pointer.slice(1).replaceAll('/', '.')
  const exact = origins.get(pointer)
  if (exact !== undefined && !exact.startsWith('line ')) return exact
  let lookup = pointer
  while (lookup !== '' && !origins.has(lookup)) lookup = lookup.slice(0, lookup.lastIndexOf('/'))
  const line = origins.get(lookup)
  if (path === undefined) return key === '' ? 'the configuration' : key
  return `${path}${line === undefined ? '' : ` ${line}`}${key === '' ? '' : `: ${key}`}`
}

function readFile(
  file: { readonly path: string; readonly text: string },
  origins: Origins,
  problems: Problem[],
): Tree {
  const lineCounter = new LineCounter()
  const document = parseDocument(file.text, { lineCounter, uniqueKeys: true })
  for (const error of document.errors) {
    const [sentence = ''] = error.message.split('\n')
    problems.push({
      where: `${file.path} line ${lineCounter.linePos(error.pos[0]).line}`,
      what: sentence.replace(/ at line.*$/, ''),
    })
  }
  if (document.errors.length > 0) return {}
  const root: unknown = document.toJS({ maxAliasCount: 10 })
  if (root === null || root === undefined) return {}
  if (typeof root !== 'object' || Array.isArray(root)) {
    problems.push({ where: file.path, what: 'it must be a list of "key: value" lines' })
    return {}
  }
  recordLines(document.contents, '', lineCounter, origins)
  return root as Tree
}

interface YamlNode {
  readonly items?: readonly unknown[]
  readonly range?: readonly number[]
}
interface YamlPair {
  readonly key: { readonly value?: unknown; readonly range?: readonly number[] }
  readonly value: YamlNode | null
}

function recordLines(node: unknown, pointer: string, lines: LineCounter, origins: Origins): void {
  for (const [index, item] of ((node as YamlNode | null)?.items ?? []).entries()) {
    const pair = item as Partial<YamlPair> & YamlNode
    const isPair = pair.key !== undefined
    const childPointer = `${pointer}/${isPair ? String(pair.key.value) : index}`
    const start = isPair ? pair.key.range?.[0] : pair.range?.[0]
    if (start !== undefined) origins.set(childPointer, `line ${lines.linePos(start).line}`)
    recordLines(isPair ? pair.value : item, childPointer, lines, origins)
  }
}

function place(tree: Tree, setting: Setting, raw: unknown, name: string, origins: Origins): void {
  let target = tree
  for (const key of setting.path.slice(0, -1)) {
    const next = target[key]
    if (typeof next === 'object' && next !== null && !Array.isArray(next)) {
      target = next as Tree
    } else {
      const made: Tree = {}
      target[key] = made
      target = made
    }
  }
  target[setting.path.at(-1) ?? ''] = convert(setting, raw)
  origins.set(`/${setting.path.join('/')}`, name)
}

/** Texts from the environment and the command line become numbers, booleans and lists where the schema wants them. */
function convert(setting: Setting, raw: unknown): unknown {
  const facts = schemaFacts(setting.schema)
  if (typeof raw !== 'string') return raw
  if (facts.type === 'array') return raw.split(',').map((item) => item.trim())
  if (facts.type === 'integer' || facts.type === 'number')
    return /^-?[0-9]+(\.[0-9]+)?$/.test(raw) ? Number(raw) : raw
  if (facts.type !== 'boolean') return raw
  if (['1', 't', 'T', 'TRUE', 'true', 'True', 'yes', 'on'].includes(raw)) return true
  if (['0', 'f', 'F', 'FALSE', 'false', 'False', 'no', 'off'].includes(raw)) return false
  return raw
}

function deepFreeze<V>(value: V): Readonly<V> {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value)
    for (const child of Object.values(value)) deepFreeze(child)
  }
  return value
}
