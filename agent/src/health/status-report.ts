import type { AgentStatus } from '../agent-status.ts'
import type { Activity } from './activity.ts'
import type { Health } from './judge-health.ts'
import type { RecentFault } from './recent-faults.ts'

/**
 * What `/status` gives and `relay-agent status --json` prints, described in agent/src/health/README.md: fields are
 * added, but none changes its meaning while `format` is 1. Holds no secret.
 */
export interface StatusReport extends AgentStatus {
  readonly format: 1
  /** Of the agent. */
  readonly version: string
  readonly pid: number
  /** Wall clock. */
  readonly atMs: number
  readonly upMs: number
  /** The clock by which the states of uplinks tell since when they hold. */
  readonly monotonicMs: number
  readonly health: Health
  readonly activity: readonly Activity[]
  /** What went wrong lately, the newest first; looked at once a second. */
  readonly recentFaults: readonly RecentFault[]
}

/** What came from outside is such a report. Looks at what the text for people cannot do without. */
export function isStatusReport(value: unknown): value is StatusReport {
  if (!isRecord(value) || !isRecord(value.health)) return false
  const { live, ready, linked } = value.health
  return (
    value.format === 1 &&
    ['atMs', 'upMs', 'monotonicMs', 'pid'].every((key) => typeof value[key] === 'number') &&
    ['name', 'version'].every((key) => typeof value[key] === 'string') &&
    ['cameras', 'instruments', 'uplinks', 'activity', 'recentFaults', 'stuck'].every((key) =>
      Array.isArray(value[key]),
    ) &&
    [live, ready, linked].every(
      (verdict) => isRecord(verdict) && typeof verdict.ok === 'boolean' && Array.isArray(verdict.reasons),
    )
  )
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
