import type { DoctorReport } from './examine.ts'
import type { Level, Verdict } from './verdict.ts'

const headings: Readonly<Record<Level, string>> = {
  problem: 'Problems',
  warning: 'Warnings',
  unknown: 'Could not be looked at',
  ok: 'All right',
}
/** What is bad comes last, where it is seen. */
const order: readonly Level[] = ['ok', 'unknown', 'warning', 'problem']
const marks: Readonly<Record<Level, string>> = { ok: '+', unknown: '?', warning: '!', problem: 'X' }
const colours: Readonly<Record<Level, string>> = {
  ok: '\u001B[32m',
  unknown: '\u001B[2m',
  warning: '\u001B[33m',
  problem: '\u001B[31m',
}
const plain = '\u001B[0m'

/** The report for people, grouped by how bad it is, each problem with what to do. Pure. */
export function reportText(report: DoctorReport, { hasColours }: { readonly hasColours: boolean }): string {
  const paint = (level: Level, text: string): string =>
    hasColours ? `${colours[level]}${text}${plain}` : text
  const lines: string[] = [`relay-agent ${report.version}, ${report.at}`]
  for (const level of order) {
    const found = report.areas.flatMap(({ area, verdicts }) =>
      verdicts.filter((verdict) => verdict.level === level).map((verdict) => ({ area, verdict })),
    )
    if (found.length === 0) continue
    lines.push('', paint(level, headings[level]))
    for (const { area, verdict } of found) lines.push(...verdictLines(area, verdict, paint))
  }
  return `${[...lines, '', summary(report)].join('\n')}\n`
}

function verdictLines(
  area: string,
  { level, what, advice }: Verdict,
  paint: (level: Level, text: string) => string,
): readonly string[] {
  const lines = [`  ${paint(level, marks[level])} ${area}: ${printable(what)}`]
  if (advice !== undefined) lines.push(`      -> ${printable(advice)}`)
  return lines
}

function summary({ counts }: DoctorReport): string {
  const { problem, warning } = counts
  if (problem === 0 && warning === 0) return 'Nothing is wrong.'
  const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`
  return `${count(problem, 'problem')}, ${count(warning, 'warning')}.`
}

/** Names of devices and answers of servers come from strangers: no control characters reach the terminal. */
function printable(text: string): string {
  return text.replaceAll(/(?!\n)[\p{Cc}\p{Cf}]+/gu, ' ')
}
