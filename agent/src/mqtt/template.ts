import { splitHoles } from './split-holes.ts'

/** What a hole of a template asks for: a value by name, and within it a place, such as `${json.axes.0}`. */
export interface Hole {
  readonly name: string
  readonly path: readonly string[]
}

/** `json`: what comes out is JSON whatever is put in. `text`: texts are put in as they are. */
export type TemplateForm = 'json' | 'text'

type TemplatePiece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'hole'; readonly hole: Hole; readonly isInString: boolean }

export interface Template {
  readonly form: TemplateForm
  readonly pieces: readonly TemplatePiece[]
  readonly holes: readonly Hole[]
}

export type ParsedTemplate =
  | { readonly ok: true; readonly template: Template }
  | { readonly ok: false; readonly problem: string }

const holePattern = /^[a-z][a-zA-Z0-9]{0,31}(\.[A-Za-z0-9_-]{1,64}){0,8}$/

/**
 * Reads a template: a text with holes `${name}` or `${name.key.0}`. Nothing is ever evaluated. One of the form `json`
 * must be JSON when its holes are filled; a hole there takes a whole value, or stands within a string and takes text.
 * Pure.
 */
export function parseTemplate(
  text: string,
  { form, names }: { readonly form: TemplateForm; readonly names: readonly string[] },
): ParsedTemplate {
  const split = splitHoles(text)
  if (!split.ok) return split
  const pieces: TemplatePiece[] = []
  const holes: Hole[] = []
  for (const piece of split.pieces) {
    if (piece.kind === 'text') {
      pieces.push(piece)
      continue
    }
    if (!holePattern.test(piece.inner))
      return { ok: false, problem: `"\${${piece.inner}}" is no hole; it is written \${name} or \${name.key}` }
    const [name = '', ...path] = piece.inner.split('.')
    if (!names.includes(name))
      return { ok: false, problem: `there is no "${name}" here; there are ${names.join(', ')}` }
    const hole = { name, path }
    holes.push(hole)
    pieces.push({ kind: 'hole', hole, isInString: piece.isInString })
  }
  const template = { form, pieces, holes }
  if (form === 'json' && !isJson(renderTemplate(template, () => null)))
    return { ok: false, problem: 'it is not JSON when its holes are filled' }
  return { ok: true, template }
}

/**
 * Fills the holes of a template with JSON values; undefined counts as null. Pure.
 * @throws {RangeError} for a value that is nested without end: the caller drops the message.
 */
export function renderTemplate(template: Template, valueOf: (hole: Hole) => unknown): string {
  let text = ''
  for (const piece of template.pieces) {
    if (piece.kind === 'text') text += piece.text
    else text += fill(valueOf(piece.hole) ?? null, template.form, piece.isInString)
  }
  return text
}

/** The place `path` within a JSON value; undefined where there is none. Pure. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  let place = value
  for (const key of path) {
    if (typeof place !== 'object' || place === null || !Object.hasOwn(place, key)) return undefined
    place = (place as Readonly<Record<string, unknown>>)[key]
  }
  return place
}

function fill(value: unknown, form: TemplateForm, isInString: boolean): string {
  if (form === 'json' && !isInString) return JSON.stringify(value)
  const text = typeof value === 'string' ? value : value === null ? '' : JSON.stringify(value)
  return form === 'text' ? text : JSON.stringify(text).slice(1, -1)
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
