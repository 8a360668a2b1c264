import { splitHoles } from './split-holes.ts'

/** What a command said in the holes of a pattern, by name. */
export type CommandValues = ReadonlyMap<string, unknown>

export interface CommandPattern {
  /** The holes and what they take. */
  readonly holes: ReadonlyMap<string, HoleType>
  /** What the command says; undefined when it is another command, or says what is not allowed. */
  match(command: unknown): CommandValues | undefined
}

export type HoleType = 'number' | 'integer' | 'boolean' | 'string' | 'word' | 'json'

export type ParsedPattern =
  | { readonly ok: true; readonly pattern: CommandPattern }
  | { readonly ok: false; readonly problem: string }

interface Hole {
  readonly name: string
  readonly type: HoleType
  readonly accepts: (value: unknown) => boolean
}

type Node =
  | { readonly kind: 'object'; readonly entries: readonly (readonly [key: string, node: Node])[] }
  | { readonly kind: 'array'; readonly items: readonly Node[] }
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'hole'; readonly hole: Hole }

type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string }

const holePattern =
  /^(?<name>[a-z][a-zA-Z0-9]{0,31}):(?<type>number|integer|boolean|string|word|json)(?:\s+(?<limit>\S+))?$/
const rangePattern = /^(-?\d{1,15}(?:\.\d{1,15})?)\.\.(-?\d{1,15}(?:\.\d{1,15})?)$/
const wordPattern = /^[A-Za-z0-9_-]{1,64}$/
const standardTextLength = 256
/** Marks the place of a hole while the pattern is read as JSON; it can stand in no configuration file. */
const marker = '\u0000'

/**
 * Reads a pattern: JSON in which holes stand in the place of values, such as `{"set":"speed","to":${speed:number 0..5}}`.
 * A command fits when it has all that the pattern has; it may have more keys. Pure.
 */
export function parseCommandPattern(text: string): ParsedPattern {
  const split = splitHoles(text)
  if (!split.ok) return split
  const holes: Hole[] = []
  let json = ''
  for (const piece of split.pieces) {
    if (piece.kind === 'text') {
      json += piece.text
      continue
    }
    if (piece.isInString)
      return {
        ok: false,
        problem: `the hole "\${${piece.inner}}" stands within a string; it takes a whole value`,
      }
    const hole = parseHole(piece.inner)
    if (!hole.ok) return hole
    if (holes.some(({ name }) => name === hole.value.name))
      return { ok: false, problem: `two holes have the name "${hole.value.name}"` }
    json += JSON.stringify(`${marker}${holes.length}`)
    holes.push(hole.value)
  }
  let tree: unknown
  try {
    tree = JSON.parse(json)
  } catch {
    return { ok: false, problem: 'it is not JSON with holes such as ${speed:number} in the place of values' }
  }
  const root = compile(tree, holes)
  return {
    ok: true,
    pattern: {
      holes: new Map(holes.map(({ name, type }) => [name, type])),
      match: (command) => {
        const values = new Map<string, unknown>()
        return fits(root, command, values) ? values : undefined
      },
    },
  }
}

function parseHole(inner: string): Read<Hole> {
  const { name, type, limit } = holePattern.exec(inner)?.groups ?? {}
  if (name === undefined || type === undefined)
    return {
      ok: false,
      problem: `"\${${inner}}" is no hole; it is written \${name:type}, and the types are number, integer, boolean, string, word, json`,
    }
  const accepts = acceptor(type as HoleType, limit)
  if (accepts === undefined)
    return {
      ok: false,
      problem: `"${limit ?? ''}" is no limit of ${type}; numbers have 0..5, strings 1..64 (their length), words a|b|c`,
    }
  return { ok: true, value: { name, type: type as HoleType, accepts } }
}

/** Undefined where the limit makes no sense. */
function acceptor(type: HoleType, limit: string | undefined): Hole['accepts'] | undefined {
  const range = limit === undefined ? undefined : parseRange(limit)
  switch (type) {
    case 'boolean':
      return limit === undefined ? (value) => typeof value === 'boolean' : undefined
    case 'json':
      return limit === undefined ? () => true : undefined
    case 'word': {
      const words = limit?.split('|')
      if (words?.every((word) => wordPattern.test(word)) === false) return undefined
      return (value) =>
        typeof value === 'string' && (words === undefined ? wordPattern.test(value) : words.includes(value))
    }
    default: {
      if (limit !== undefined && range === undefined) return undefined
      if (type === 'string') {
        const [least, most] = range ?? [0, standardTextLength]
        return (value) => typeof value === 'string' && value.length >= least && value.length <= most
      }
      const [least, most] = range ?? [-Number.MAX_VALUE, Number.MAX_VALUE]
      const isOfType = type === 'integer' ? Number.isSafeInteger : Number.isFinite
      return (value) => typeof value === 'number' && isOfType(value) && value >= least && value <= most
    }
  }
}

function parseRange(text: string): readonly [least: number, most: number] | undefined {
  const [, least, most] = rangePattern.exec(text) ?? []
  if (least === undefined || most === undefined || Number(least) > Number(most)) return undefined
  return [Number(least), Number(most)]
}

function compile(value: unknown, holes: readonly Hole[]): Node {
  if (typeof value === 'string' && value.startsWith(marker)) {
    const hole = holes[Number(value.slice(1))]
    return hole === undefined ? { kind: 'value', value } : { kind: 'hole', hole }
  }
  if (Array.isArray(value)) return { kind: 'array', items: value.map((item) => compile(item, holes)) }
  if (typeof value === 'object' && value !== null)
    return {
      kind: 'object',
      entries: Object.entries(value).map(([key, child]) => [key, compile(child, holes)]),
    }
  return { kind: 'value', value }
}

/** Goes no deeper than the pattern does. */
function fits(node: Node, value: unknown, values: Map<string, unknown>): boolean {
  switch (node.kind) {
    case 'value':
      return value === node.value
    case 'hole':
      values.set(node.hole.name, value)
      return node.hole.accepts(value)
    case 'array':
      return (
        Array.isArray(value) &&
        value.length === node.items.length &&
        node.items.every((item, index) => fits(item, value[index], values))
      )
    default:
      return (
        typeof value === 'object' &&
        value !== null &&
        !Array.isArray(value) &&
        node.entries.every(
          ([key, child]) =>
            Object.hasOwn(value, key) &&
            fits(child, (value as Readonly<Record<string, unknown>>)[key], values),
        )
      )
  }
}
