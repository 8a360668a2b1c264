export interface UnitLine {
  /** `Service`. */
  readonly section: string
  readonly key: string
  readonly value: string
  /** Where it begins, from 1. */
  readonly line: number
}

export interface ParsedUnit {
  readonly lines: readonly UnitLine[]
  /** Lines that are none of what a unit has. */
  readonly notUnderstood: readonly number[]
}

const maxLines = 5_000

/**
 * The settings of a systemd unit, continued lines put together (systemd.syntax(7)). Text of any kind gives something.
 * An empty setting takes back what the same key said before. Pure.
 */
export function parseUnit(text: string): ParsedUnit {
  const lines: UnitLine[] = []
  const notUnderstood: number[] = []
  let section = ''
  for (const { text: line, number } of logicalLines(text)) {
    const header = /^\[([^\]\n]{1,64})\]$/.exec(line)?.[1]
    if (header !== undefined) {
      section = header
      continue
    }
    const [, key, value] = /^([A-Za-z][\w-]{0,63})\s*=\s*([^]*)$/.exec(line) ?? []
    if (key === undefined || value === undefined || section === '') notUnderstood.push(number)
    else if (value === '') removeKey(lines, section, key)
    else lines.push({ section, key, value, line: number })
  }
  return { lines, notUnderstood }
}

function removeKey(lines: UnitLine[], section: string, key: string): void {
  const kept = lines.filter((line) => line.section !== section || line.key !== key)
  lines.splice(0, lines.length, ...kept)
}

function logicalLines(text: string): readonly { readonly text: string; readonly number: number }[] {
  const result: { text: string; number: number }[] = []
  let open: { text: string; number: number } | undefined
  for (const [index, raw] of text.split(/\r?\n/, maxLines).entries()) {
    const isComment = /^\s*[#;]/.test(raw)
    // A comment within a continued line is left out, and the line goes on behind it.
    if (isComment) continue
    const continues = raw.endsWith('\\')
    const part = continues ? raw.slice(0, -1) : raw
    const joined: { text: string; number: number } =
      open === undefined
        ? { text: part, number: index + 1 }
        : { text: `${open.text} ${part.trim()}`, number: open.number }
    open = continues ? joined : undefined
    if (!continues && joined.text.trim() !== '')
      result.push({ text: joined.text.trim(), number: joined.number })
  }
  if (open !== undefined && open.text.trim() !== '')
    result.push({ text: open.text.trim(), number: open.number })
  return result
}
