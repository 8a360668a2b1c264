import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml'
import type { Problem } from './problems.ts'

export interface ConfigFile {
  readonly path: string
  readonly text: string
}

export interface YamlTree {
  /** A copy in which nothing is shared: changing one place changes no other. */
  readonly tree: Record<string, unknown>
  /** Line of every key and list item, by JSON pointer. */
  readonly lines: ReadonlyMap<string, number>
  /** When there is one, `tree` is empty. */
  readonly problems: readonly Problem[]
}

/** A file that repeats more than this by aliases is an attack or a mistake. */
const maxAliases = 100

/** Reads one YAML document whose root is a set of keys. No message quotes the file: a secret may stand there. */
export function readYaml({ path, text }: ConfigFile): YamlTree {
  const lineCounter = new LineCounter()
  const wrong = (what: string, offset?: number): Problem => ({
    where: offset === undefined ? path : `${path} line ${lineCounter.linePos(offset).line}`,
    what,
  })
  const failed = (...problems: readonly Problem[]): YamlTree => ({ tree: {}, lines: new Map(), problems })
  try {
    const document = parseDocument(text, { lineCounter, uniqueKeys: true, logLevel: 'error' })
    const faults = [...document.errors, ...document.warnings]
    if (faults.length > 0) return failed(...faults.map(({ code, pos }) => wrong(sentenceFor(code), pos[0])))
    const dangling = danglingAlias(document)
    if (dangling !== undefined) {
      return failed(
        wrong('it refers by "*" to a name that no "&" gives before; texts with "*" need quotes', dangling),
      )
    }
    const root: unknown = document.toJS({ maxAliasCount: maxAliases })
    if (root === null || root === undefined) return failed()
    if (!isMap(document.contents)) return failed(wrong('it must be a set of "key: value" lines'))
    const lines = new Map<string, number>()
    recordLines(document.contents, '', (offset, pointer) =>
      lines.set(pointer, lineCounter.linePos(offset).line),
    )
    return { tree: copyOf(root, []) as Record<string, unknown>, lines, problems: [] }
  } catch {
    // The library gives up on nesting and on aliases without end; so does the copy.
    return failed(
      wrong('it is nested too deeply, or its aliases ("*") repeat too much or contain themselves'),
    )
  }
}

function sentenceFor(code: string): string {
  switch (code) {
    case 'DUPLICATE_KEY':
      return 'this key stands there for the second time'
    case 'TAB_AS_INDENT':
      return 'it is indented by a tab; use spaces'
    case 'BAD_INDENT':
      return 'it is indented wrongly, or a bracket before it was not closed'
    case 'BLOCK_AS_IMPLICIT_KEY':
      return 'it is indented wrongly, or a text with ": " needs quotes'
    case 'MULTILINE_IMPLICIT_KEY':
      return 'this is no "key: value" line, or the line before is indented wrongly'
    case 'MISSING_CHAR':
      return 'a closing quote, a bracket or a colon is missing'
    case 'BAD_DQ_ESCAPE':
      return 'a "\\" in double quotes begins nothing that is known; use single quotes'
    case 'BAD_SCALAR_START':
      return 'the text begins with a character that has a meaning of its own; put it in quotes'
    case 'TAG_RESOLVE_FAILED':
      return 'a text that begins with "!" needs quotes'
    case 'MULTIPLE_DOCS':
      return 'a second document begins here ("---"); only one is allowed'
    case 'RESOURCE_EXHAUSTION':
      return 'it is nested too deeply'
    default:
      return 'this is not YAML'
  }
}

/** Where an alias stands that has no anchor; undefined when there is none. */
function danglingAlias(document: Document): number | undefined {
  let offset: number | undefined
  visit(document, {
    Alias: (_key, node) => {
      if (node.resolve(document) === undefined) offset ??= node.range?.[0] ?? 0
    },
  })
  return offset
}

function recordLines(
  node: unknown,
  pointer: string,
  record: (offset: number, pointer: string) => void,
): void {
  if (isMap(node)) {
    for (const { key, value } of node.items) {
      // A list or a set as a key is never one of ours: no line, but reported as unknown.
      if (!isScalar<string | number | boolean | null>(key)) continue
      const child = `${pointer}/${escapePointer(String(key.value ?? ''))}`
      if (key.range) record(key.range[0], child)
      recordLines(value, child, record)
    }
  } else if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) {
      const child = `${pointer}/${index}`
      const range = isMap(item) || isScalar(item) || isSeq(item) || isAlias(item) ? item.range : undefined
      if (range) record(range[0], child)
      recordLines(item, child, record)
    }
  }
}

/** One key as part of a JSON pointer (RFC 6901). */
export function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}

/** The keys of a JSON pointer. */
export function pointerKeys(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function copyOf(value: unknown, ancestors: readonly unknown[]): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (ancestors.includes(value)) throw new RangeError('an alias contains itself')
  const inner = [...ancestors, value]
  if (Array.isArray(value)) return value.map((item) => copyOf(item, inner))
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copyOf(item, inner)]))
}
