import type { Fault } from '@relay/common/fault'
import { shellState } from '../shell-host/shell-figures.ts'
import type { Activity } from './activity.ts'
import { ageText } from './age-text.ts'
import { type HealthPart, healthParts } from './health-part.ts'
import { rateText } from './part-figures.ts'
import type { StatusReport } from './status-report.ts'

/** A fault and the part that has or had it. */
export interface PartFault {
  /** `camera front`. */
  readonly part: string
  readonly fault: Fault
}

export interface StatusLineFacts {
  readonly report: StatusReport
  /** The last one that was seen, over or not; undefined where there was none. */
  readonly lastFault: PartFault | undefined
  /** Why the configuration of the last reload does not hold; undefined where it does. */
  readonly configFault: Fault | undefined
}

/**
 * How the agent does, in one line for `systemctl status`: name, link, what each camera and instrument brings, viewers
 * where the relay tells, the last fault. Steps are coarse, so that it changes seldom. Pure.
 */
export function statusLine({ report, lastFault, configFault }: StatusLineFacts): string {
  const parts = healthParts(report)
  const activityByPart = new Map(report.activity.map((activity) => [activity.part, activity]))
  const figures = parts.flatMap((part) =>
    part.kind === 'uplink' || (part.kind === 'server' && part.works)
      ? []
      : [figureOf(part, activityByPart.get(part.title))],
  )
  const texts = [
    report.name,
    ...(report.stuck.length > 0 ? [`stuck: ${report.stuck.map(({ part }) => part).join(', ')}`] : []),
    ...(configFault === undefined ? [] : ['the changed configuration is wrong and does not hold']),
    linkText(parts.filter(({ kind }) => kind === 'uplink')),
    ...figures,
    ...(lastFault === undefined ? [] : [faultText(lastFault)]),
  ].filter((text) => text !== '')
  return texts.length === 0 ? 'running' : texts.join(' | ')
}

function linkText(uplinks: readonly HealthPart[]): string {
  if (uplinks.length === 0) return ''
  const live = uplinks.filter(({ state }) => state === 'live').length
  if (live === uplinks.length) return ['linked', ...viewersText(uplinks)].join(', ')
  return live === 0 ? 'not linked' : `linked ${live} of ${uplinks.length}`
}

/** Whoever watches an experiment hears each of its topics: the one with the most tells how many they are. */
function viewersText(uplinks: readonly HealthPart[]): readonly string[] {
  const counts = uplinks.flatMap(({ facts: { viewers } }) => (typeof viewers === 'number' ? [viewers] : []))
  if (counts.length === 0) return []
  const most = Math.max(...counts)
  return [`${most} viewer${most === 1 ? '' : 's'}`]
}

function figureOf({ kind, name, state, works, facts }: HealthPart, activity: Activity | undefined): string {
  if (kind === 'shell') return `shell ${shellState({ state, facts })}`
  if (!works && !['live', 'open'].includes(state)) return `${name} ${state}`
  if (kind === 'camera') return `${name} ${cameraFigure(activity)}`
  return `${name} ${activity?.quietMs === undefined ? 'silent' : coarseAge(activity.quietMs)}`
}

function cameraFigure(activity: Activity | undefined): string {
  return activity?.perSecond === undefined ? 'live' : `${rateText(activity.perSecond)} fps`
}

/** Below this all is as recent as a line that comes once a second can be. */
const nowMs = 2_000

/** Changes every ten seconds at most. */
function coarseAge(ms: number): string {
  if (ms < nowMs) return 'now'
  return ms < 10_000 ? '<10 seconds ago' : `${ageText(Math.floor(ms / 10_000) * 10_000)} ago`
}

function faultText({ part, fault }: PartFault): string {
  // With its day: it stands there until there is another, which may take months.
  const time = new Date(fault.atMs).toISOString().slice(0, 16).replace('T', ' ')
  return `last fault ${time} UTC: ${part}: ${fault.message}`
}

/**
 * The newest fault of all parts, or the one that was the newest before. One of the future is from before the clock was
 * set back, and gives way to any other. Pure.
 */
export function newestFault(report: StatusReport, before: PartFault | undefined): PartFault | undefined {
  let newest = before
  for (const { title, fault } of healthParts(report)) {
    if (fault === undefined) continue
    const newestAtMs = newest?.fault.atMs ?? Number.NEGATIVE_INFINITY
    if (fault.atMs < newestAtMs && newestAtMs <= report.atMs) continue
    newest = { part: title, fault }
  }
  return newest
}

/** The status line of an agent, which remembers the last fault. */
export class StatusLine {
  readonly #report: () => StatusReport
  readonly #configFault: () => Fault | undefined
  #lastFault: PartFault | undefined

  constructor(report: () => StatusReport, configFault: () => Fault | undefined) {
    this.#report = report
    this.#configFault = configFault
  }

  readonly now = (): string => {
    const report = this.#report()
    this.#lastFault = newestFault(report, this.#lastFault)
    return statusLine({ report, lastFault: this.#lastFault, configFault: this.#configFault() })
  }
}
