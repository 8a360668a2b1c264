import { healthParts } from './health-part.ts'
import type { StatusReport } from './status-report.ts'

/** Rules of scripts can make many uplinks; a heartbeat stays small. */
const maxParts = 64

/**
 * What the heartbeat says, described in agent/src/health/README.md: fields are added, but none changes its meaning while
 * `heartbeat` is 1. Codes alone, as the words of a fault may name files and hosts, and whoever may read the topic reads
 * this. Pure.
 */
export function heartbeatMessage(report: StatusReport, temperatureC: number | undefined): string {
  const { name, version, atMs, upMs, health, activity } = report
  const parts = healthParts(report).slice(0, maxParts)
  return JSON.stringify({
    heartbeat: 1,
    name,
    version,
    at: new Date(atMs).toISOString(),
    upSec: Math.floor(upMs / 1000),
    live: health.live.ok,
    ready: health.ready.ok,
    linked: health.linked.ok,
    parts: parts.map(({ title, state, works, kind }) => {
      const { perSecond, quietMs } = activity.find(({ part }) => part === title) ?? {}
      return {
        part: title,
        state,
        works,
        ...(kind === 'uplink' || perSecond === undefined
          ? {}
          : { perSecond: Math.round(perSecond * 10) / 10 }),
        ...(kind === 'uplink' || quietMs === undefined ? {} : { quietSec: Math.round(quietMs / 1000) }),
      }
    }),
    faults: parts.flatMap(({ title, fault }) =>
      fault === undefined
        ? []
        : [{ part: title, code: fault.code, agoSec: Math.max(0, Math.round((atMs - fault.atMs) / 1000)) }],
    ),
    ...(temperatureC === undefined ? {} : { temperatureC }),
  })
}
