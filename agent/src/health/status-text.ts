import { ageText } from './age-text.ts'
import { type HealthPart, shownParts } from './health-part.ts'
import type { Health, Verdict } from './judge-health.ts'
import type { Paint, Tone } from './paint.ts'
import { partFigures } from './part-figures.ts'
import type { StatusReport } from './status-report.ts'

/** A line before it is aligned with its neighbours: cells, the tone of each, and what stands below it. */
interface Row {
  readonly cells: readonly (readonly [text: string, tone?: Tone])[]
  readonly notes: readonly string[]
}

/**
 * The status for people: the three verdicts with what to do, then a line for each part with its last fault below it.
 * Nothing that a part says reaches the terminal but printable characters. Pure.
 */
export function statusText(report: StatusReport, paint: Paint): string {
  const { name, version, upMs, localApi } = report
  const parts = shownParts(report)
  const told = new Set(
    verdictsOf(report.health).flatMap(([, { reasons }]) => reasons.map(({ part }) => part)),
  )
  const title = [...(name === '' ? [] : [name]), `relay-agent ${version}`, `up ${ageText(upMs)}`].join(' · ')
  const blocks = [
    [paint(printable(title), 'heading')],
    aligned(verdictsOf(report.health).map(verdictRow), paint),
    ...kindsOf(parts).map((kind) => {
      const rows = parts.filter((part) => part.kind === kind).map((part) => partRow(part, report, told))
      return [paint(printable(`${kind}s`), 'heading')].concat(aligned(rows, paint))
    }),
    ...(parts.length === 0 ? [['nothing is configured']] : []),
    ...(localApi === undefined ? [] : [[localApiText(localApi)]]),
    ...pastFaults(report, paint),
  ]
  return `${blocks.map((lines) => lines.join('\n')).join('\n\n')}\n`
}

/** The same in one line, for a log of one line a second. Pure. */
export function statusSummary(report: StatusReport): string {
  const { name, health, atMs } = report
  const parts = shownParts(report)
  const counts = kindsOf(parts).map((kind) => {
    const ofKind = parts.filter((part) => part.kind === kind)
    return `${kind}s ${ofKind.filter(({ works }) => works).length}/${ofKind.length}`
  })
  const verdicts = verdictsOf(health).map(([word, { ok }]) => (ok ? word : `not ${word}`))
  const first = verdictsOf(health).flatMap(([, { reasons }]) => reasons)[0]
  const facts = [
    ...(name === '' ? [] : [name]),
    verdicts.join(', '),
    ...counts,
    ...(first === undefined ? [] : [`${first.code} ${first.part}`]),
  ]
  return printable(`${new Date(atMs).toISOString()} ${facts.join(' · ')}`)
}

/** `text` without anything that moves a cursor or changes colours. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what must not reach a terminal
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, ' ')
}

function verdictsOf({ live, ready, linked }: Health): readonly (readonly [string, Verdict])[] {
  return [
    ['live', live],
    ['ready', ready],
    ['linked', linked],
  ]
}

function verdictRow([word, { ok, reasons }]: readonly [string, Verdict]): Row {
  return {
    cells: [[word], ok ? ['yes', 'good'] : ['no', 'bad']],
    notes: reasons.map(({ sentence }) => sentence),
  }
}

function partRow(part: HealthPart, report: StatusReport, told: ReadonlySet<string>): Row {
  const { name, title, state, works, facts } = part
  const activity = report.activity.find((one) => one.part === title)
  const { destination, stderr } = facts
  return {
    cells: [[name], [state, works ? 'good' : 'busy'], [partFigures(part, activity)]],
    notes: [
      ...(typeof destination === 'string' ? [`to ${destination}`] : []),
      ...faultNotes(part, report.atMs, told.has(title)),
      ...(Array.isArray(stderr) ? stderr.map((line) => `ffmpeg: ${String(line)}`) : []),
    ],
  }
}

/** The message stands above already where it is the reason of a verdict. */
function faultNotes({ fault }: HealthPart, nowMs: number, isTold: boolean): readonly string[] {
  if (fault === undefined) return []
  const when = `${fault.code} ${ageText(nowMs - fault.atMs)} ago`
  return [isTold ? when : `${when}: ${fault.message}`]
}

/** What is over: what is wrong now stands with its part. */
function pastFaults({ recentFaults, atMs }: StatusReport, paint: Paint): readonly (readonly string[])[] {
  const past = recentFaults.filter(({ isOver }) => isOver)
  if (past.length === 0) return []
  const rows = past.map(({ part, code, message, atMs: whenMs }): Row => {
    const ago = `${ageText(atMs - whenMs)} ago`
    return { cells: [[part], [code], [`${ago}: ${message}`]], notes: [] }
  })
  return [[paint('faults that are over', 'heading'), ...aligned(rows, paint)]]
}

function localApiText({ uploads, clients, refusedRequests, droppedMessages }: LocalApi): string {
  return `local API: uploads ${uploads.length}, websockets ${clients.length}, refused ${refusedRequests}, dropped ${droppedMessages}`
}
type LocalApi = NonNullable<StatusReport['localApi']>

function kindsOf(parts: readonly HealthPart[]): readonly string[] {
  return [...new Set(parts.map(({ kind }) => kind))]
}

function aligned(rows: readonly Row[], paint: Paint): readonly string[] {
  const columns = Math.max(0, ...rows.map(({ cells }) => cells.length))
  const widths = Array.from({ length: columns }, (_none, column) =>
    Math.max(...rows.map(({ cells }) => printable(cells[column]?.[0] ?? '').length)),
  )
  return rows.flatMap(({ cells, notes }) => {
    const padded = cells.map(([text, tone], column) => {
      const plain = printable(text)
      const space = column === cells.length - 1 ? '' : ' '.repeat((widths[column] ?? 0) - plain.length)
      return (tone === undefined ? plain : paint(plain, tone)) + space
    })
    const line = `  ${padded.join('  ')}`.trimEnd()
    return [line, ...notes.map((note) => `    ${printable(note)}`)]
  })
}
