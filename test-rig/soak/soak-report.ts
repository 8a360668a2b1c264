import { median } from '../bench/statistics.ts'
import { textTable } from '../bench/text-table.ts'
import type { StreamName } from './fault-kinds.ts'
import { failureText, type FaultRecord, nameOf, troubleOf, unexplained } from './fault-record.ts'
import type { Span } from './order-ledger.ts'
import type { ProcessFigures } from './process-watch.ts'
import type { SoakViewers } from './soak-viewers.ts'

/** Of one stream: silences, and what is missing of what is numbered. Counts of messages; times in ms. */
export interface StreamFigures {
  readonly messages: number
  readonly silences: number
  readonly longestSilenceMs: number
  readonly totalSilenceMs: number
  /** Outside of any fault that touches the stream. */
  readonly unexplainedSilences: number
  readonly longestUnexplainedMs: number
  /** Undefined where messages have no numbers of ours. */
  readonly numbered?: {
    readonly lostInFaults: number
    readonly lostOutside: number
    readonly doubled: number
    readonly late: number
  }
}

export interface RecoveryFigures {
  readonly kind: string
  readonly count: number
  readonly notRecovered: number
  /** Until the last of the touched streams was back; not-a-number where none was. */
  readonly medianMs: number
  readonly maxMs: number
}

export interface SoakReport {
  readonly seed: number
  readonly minutes: number
  readonly wasStopped: boolean
  readonly processes: Readonly<Record<string, ProcessFigures>>
  readonly streams: Readonly<Record<StreamName, StreamFigures>>
  readonly video: SoakViewers['figures'] & { readonly breaksInFaults: number; readonly breaksOutside: number }
  readonly recoveries: readonly RecoveryFigures[]
  /** Each step of the plan, in order; times of the machine's monotonic clock. */
  readonly faults: readonly FaultRecord[]
  /** Why the exit code is 1; none: it is 0. */
  readonly failures: readonly string[]
}

export interface ReportInput {
  readonly seed: number
  readonly lastedMs: number
  readonly wasStopped: boolean
  readonly brokenBy: string | undefined
  readonly nowMs: number
  readonly records: readonly FaultRecord[]
  readonly viewers: Pick<SoakViewers, 'watches' | 'orders' | 'commands' | 'pictureBreaks' | 'figures'>
  readonly processes: Readonly<Record<string, ProcessFigures>>
}

/** An answer may be under way for so long without being missed. */
const answerWithinMs = 15_000
/** A busy machine stops for a moment now and then; a silence this long outside of any fault is one of ours. */
const longestExcusedMs = 10_000

/** Puts together what was found. Pure. */
export function makeReport(input: ReportInput): SoakReport {
  const { seed, lastedMs, wasStopped, records, viewers, processes } = input
  const trouble = troubleOf('video', records)
  const breaksOutside = unexplained(viewers.pictureBreaks, trouble).length
  const report = {
    seed,
    minutes: lastedMs / 60_000,
    wasStopped,
    processes,
    streams: {
      video: streamFigures('video', input),
      data: { ...streamFigures('data', input), numbered: orderFigures('data', input) },
      commands: { ...streamFigures('commands', input), numbered: commandFigures(input) },
      mqtt: { ...streamFigures('mqtt', input), numbered: orderFigures('mqtt', input) },
    },
    video: {
      ...viewers.figures,
      breaksInFaults: viewers.pictureBreaks.length - breaksOutside,
      breaksOutside,
    },
    recoveries: recoveryFigures(records),
    faults: records,
  }
  return { ...report, failures: [...findFailures(report.streams, input)] }
}

function streamFigures(name: StreamName, { viewers, records, nowMs }: ReportInput): StreamFigures {
  const watch = viewers.watches[name]
  const silences = watch.silences.until(nowMs)
  const odd = unexplained(silences, troubleOf(name, records))
  const lengths = silences.map(lengthMs)
  return {
    messages: watch.messages,
    silences: silences.length,
    longestSilenceMs: Math.max(0, ...lengths),
    totalSilenceMs: lengths.reduce((sum, length) => sum + length, 0),
    unexplainedSilences: odd.length,
    longestUnexplainedMs: Math.max(0, ...odd.map(lengthMs)),
  }
}

function lengthMs({ fromMs, toMs }: Span): number {
  return toMs - fromMs
}

type OrderFigures = NonNullable<StreamFigures['numbered']>

function orderFigures(name: 'data' | 'mqtt', { viewers, records }: ReportInput): OrderFigures {
  const { losses, doubled, late } = viewers.orders[name]
  const count = (list: typeof losses): number => list.reduce((sum, { messages }) => sum + messages, 0)
  const lostOutside = count(unexplained(losses, troubleOf(name, records)))
  return {
    lostInFaults: count(losses) - lostOutside,
    lostOutside,
    doubled: doubled.length,
    late: late.length,
  }
}

function commandFigures({ viewers, records, nowMs }: ReportInput): OrderFigures {
  const unanswered = viewers.commands.unanswered(nowMs, answerWithinMs)
  const lostOutside = unexplained(unanswered, troubleOf('commands', records)).length
  return {
    lostInFaults: unanswered.length - lostOutside,
    lostOutside,
    doubled: viewers.commands.doubled.length,
    late: 0,
  }
}

function recoveryFigures(records: readonly FaultRecord[]): readonly RecoveryFigures[] {
  const finished = records.filter(({ outcome }) => outcome !== 'unfinished')
  const byKind = Map.groupBy(finished, ({ faults }) => (faults.length > 1 ? 'two at once' : nameOf(faults)))
  return [...byKind]
    .map(([kind, list]) => {
      const times = list.flatMap((record) => (record.outcome === 'recovered' ? [recoveryMs(record)] : []))
      return {
        kind,
        count: list.length,
        notRecovered: list.length - times.length,
        medianMs: median(times),
        maxMs: times.length === 0 ? Number.NaN : Math.max(...times),
      }
    })
    .toSorted((a, b) => a.kind.localeCompare(b.kind))
}

function recoveryMs({ healedAtMs, backAtMs }: FaultRecord): number {
  return Math.max(0, ...Object.values(backAtMs).map((atMs) => atMs - healedAtMs))
}

function* findFailures(
  streams: SoakReport['streams'],
  { brokenBy, records, viewers }: ReportInput,
): Generator<string> {
  if (brokenBy !== undefined) yield brokenBy
  for (const record of records) if (record.outcome === 'failed') yield failureText(record)
  for (const [name, { numbered, longestUnexplainedMs }] of Object.entries(streams)) {
    if (longestUnexplainedMs > longestExcusedMs)
      yield `${name}: silent for ${seconds(longestUnexplainedMs)} s without a fault`
    if (numbered === undefined) continue
    if (numbered.lostOutside > 0) yield `${name}: ${numbered.lostOutside} lost without a fault`
    if (numbered.doubled > 0) yield `${name}: ${numbered.doubled} came twice`
    if (numbered.late > 0) yield `${name}: ${numbered.late} came out of order`
  }
  const { unalignedMessages } = viewers.figures
  if (unalignedMessages > 0) yield `video: ${unalignedMessages} messages did not hold whole packets`
}

/** The report for people. Pure. */
export function reportText(report: SoakReport): string {
  const { seed, minutes, wasStopped, video, failures } = report
  const end = wasStopped ? 'stopped' : 'over'
  const verdict =
    failures.length === 0 ? 'nothing failed' : `FAILED:\n${failures.map((text) => `  ${text}`).join('\n')}`
  return [
    `soak: ${end} after ${minutes.toFixed(1)} minutes with seed ${seed}`,
    processTable(report),
    streamTable(report),
    recoveryTable(report),
    `video: ${(video.videoBytes / 1e6).toFixed(0)} MB, jumps of its packet counters: ${video.breaksInFaults} in faults, ${video.breaksOutside} without one\nstrangers came and went ${video.visits} times; ${video.otherTexts} texts were neither reading nor answer`,
    verdict,
  ].join('\n\n')
}

function processTable({ processes }: SoakReport): string {
  const rows = Object.entries(processes).flatMap(([name, { residentBytes, descriptors }]) => {
    const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1)
    const memory = residentBytes.perHour
    return [
      [
        `${name}, memory MB`,
        megabytes(residentBytes.start),
        megabytes(residentBytes.max),
        megabytes(residentBytes.end),
        memory === undefined ? '-' : megabytes(memory),
        String(residentBytes.lives),
      ],
      [
        `${name}, descriptors`,
        String(descriptors.start),
        String(descriptors.max),
        String(descriptors.end),
        descriptors.perHour === undefined ? '-' : descriptors.perHour.toFixed(1),
        String(descriptors.lives),
      ],
    ]
  })
  return textTable(['process', 'start', 'max', 'end', 'per hour', 'processes'], rows)
}

function streamTable({ streams }: SoakReport): string {
  const rows = Object.entries(streams).map(([name, figures]) => {
    const { messages, silences, longestSilenceMs, totalSilenceMs, numbered } = figures
    const count = (key: keyof OrderFigures): string => (numbered === undefined ? '-' : String(numbered[key]))
    return [
      name,
      String(messages),
      String(silences),
      seconds(longestSilenceMs),
      seconds(totalSilenceMs),
      `${figures.unexplainedSilences} (${seconds(figures.longestUnexplainedMs)})`,
      count('lostInFaults'),
      count('lostOutside'),
      count('doubled'),
      count('late'),
    ]
  })
  const heading = ['stream', 'messages', 'gaps', 'longest s', 'total s', 'without fault (s)']
  return textTable([...heading, 'lost in faults', 'lost else', 'twice', 'late'], rows)
}

function recoveryTable({ recoveries }: SoakReport): string {
  const time = (ms: number): string => (Number.isNaN(ms) ? '-' : seconds(ms))
  return textTable(
    ['fault', 'times', 'not recovered', 'back after s, median', 'max'],
    recoveries.map(({ kind, count, notRecovered, medianMs, maxMs }) => [
      kind,
      String(count),
      String(notRecovered),
      time(medianMs),
      time(maxMs),
    ]),
  )
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1)
}
