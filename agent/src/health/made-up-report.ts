import type { AgentStatus } from '../agent-status.ts'
import { judgeHealth } from './judge-health.ts'
import type { StatusReport } from './status-report.ts'

/** For tests: parts may be as incomplete as those of an agent of another version. */
type Parts = Readonly<Record<string, unknown>>

/** The status of an agent that runs and has nothing configured, but for `parts`. For tests. */
export function madeUpStatus(parts: Parts = {}): AgentStatus {
  return {
    name: 'pend00',
    phase: 'running',
    stuck: [],
    cameras: [],
    instruments: [],
    uplinks: [],
    localApi: undefined,
    ...parts,
  }
}

/** The report of such an agent, but for what `facts` say beside its status. For tests. */
export function madeUpReport(parts: Parts = {}, facts: Partial<StatusReport> = {}): StatusReport {
  const status = madeUpStatus(parts)
  return {
    format: 1,
    version: '1.2.3',
    pid: 1,
    atMs: 0,
    upMs: 0,
    monotonicMs: 0,
    health: judgeHealth(status),
    recentFaults: [],
    activity: [],
    ...status,
    ...facts,
  }
}
