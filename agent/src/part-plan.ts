import { isDeepStrictEqual } from 'node:util'
import type { Part } from './part.ts'

/** What a part is made from. Two plans of the same key with equal settings make the same part. */
export interface PartPlan {
  /** Kind and name, unique within the agent: `camera front`. */
  readonly key: string
  /** All that the part takes from the configuration: plain data. */
  readonly settings: unknown
  /** Makes it; it does nothing before its `run`. */
  readonly make: () => Part
}

export interface PlanChanges {
  readonly kept: readonly PartPlan[]
  readonly ended: readonly PartPlan[]
  readonly started: readonly PartPlan[]
}

/** What to do so that `wanted` runs where `running` does; one whose settings differ is ended and started. Pure. */
export function comparePlans(running: readonly PartPlan[], wanted: readonly PartPlan[]): PlanChanges {
  const runningByKey = new Map(running.map((plan) => [plan.key, plan]))
  const isKept = ({ key, settings }: PartPlan): boolean => {
    const before = runningByKey.get(key)
    return before !== undefined && isDeepStrictEqual(before.settings, settings)
  }
  const kept = wanted.filter(isKept)
  const keptKeys = new Set(kept.map(({ key }) => key))
  return {
    kept,
    ended: running.filter(({ key }) => !keptKeys.has(key)),
    started: wanted.filter(({ key }) => !keptKeys.has(key)),
  }
}
