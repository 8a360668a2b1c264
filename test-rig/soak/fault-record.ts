import { faultRules, type StreamName, streamNames } from './fault-kinds.ts'
import type { PlannedFault } from './fault-plan.ts'
import type { Span } from './order-ledger.ts'

/** What became of one step of the plan. Times are the machine's. */
export interface FaultRecord {
  readonly number: number
  readonly faults: readonly PlannedFault[]
  readonly startedAtMs: number
  /** When it was taken away; the start where only the agent can mend it. */
  readonly healedAtMs: number
  /** When each stream was back. */
  readonly backAtMs: Readonly<Partial<Record<StreamName, number>>>
  readonly endedAtMs: number
  /** `unfinished`: the run was stopped meanwhile. */
  readonly outcome: 'recovered' | 'failed' | 'unfinished'
  /** What went wrong with inflicting it. */
  readonly error?: string
}

/** The streams that a step may touch. Pure. */
export function streamsOf(faults: readonly PlannedFault[]): readonly StreamName[] {
  return streamNames.filter((name) => faults.some(({ kind }) => faultRules[kind].streams.includes(name)))
}

/** "relay-kill" or "relay-kill + garbage". Pure. */
export function nameOf(faults: readonly PlannedFault[]): string {
  return faults.map(({ kind }) => kind).join(' + ')
}

/** One sentence about a fault that was not recovered from. Pure. */
export function failureText({ number, faults, backAtMs, error }: FaultRecord): string {
  const missing = streamsOf(faults).filter((name) => backAtMs[name] === undefined)
  const why = [
    ...(missing.length === 0 ? [] : [`${missing.join(', ')} did not come back in time`]),
    ...(error === undefined ? [] : [error]),
  ]
  return `fault ${number} (${nameOf(faults)}): ${why.join('; ')}`
}

/** What was on its way when the fault began may be lost with it. */
const beforeMs = 2_000
/** A line that was cut in two, or a viewer that comes back last. */
const afterMs = 1_000

/** When something may be missing on a stream, as a fault had hold of it. Pure. */
export function troubleOf(stream: StreamName, records: readonly FaultRecord[]): readonly Span[] {
  return records
    .filter(({ faults }) => streamsOf(faults).includes(stream))
    .map(({ startedAtMs, backAtMs, endedAtMs }) => ({
      fromMs: startedAtMs - beforeMs,
      toMs: (backAtMs[stream] ?? endedAtMs) + afterMs,
    }))
}

/** Those that no trouble explains: they touch none of it. Pure. */
export function unexplained<T extends Span>(spans: readonly T[], trouble: readonly Span[]): readonly T[] {
  return spans.filter(({ fromMs, toMs }) => !trouble.some((t) => fromMs <= t.toMs && toMs >= t.fromMs))
}
