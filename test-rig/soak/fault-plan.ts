import { shuffled } from '../bench/statistics.ts'
import { type FaultKind, faultRules } from './fault-kinds.ts'

export interface PlannedFault {
  readonly kind: FaultKind
  readonly holdMs: number
}

/** Calm first, then one fault, or two of different parts at once. */
export interface PlanStep {
  readonly pauseMs: number
  readonly faults: readonly PlannedFault[]
}

export interface PlanOptions {
  readonly kinds: readonly FaultKind[]
  /** Mean length of the calm between two steps; each is between half and one and a half of it. */
  readonly pauseMs: number
  /** In [0, 1), the same again with the same seed. */
  readonly random: () => number
}

/** Share of steps with a second fault. */
const pairShare = 0.15

/**
 * What goes wrong, one step after the other, for ever. Every kind comes once before any comes a second time (but for
 * the second ones of pairs). Pure but for `random`: the same seed gives the same plan, whatever the system does meanwhile.
 */
export function* planFaults({ kinds, pauseMs, random }: PlanOptions): Generator<PlanStep, never> {
  for (;;) {
    for (const kind of shuffled(kinds, random)) {
      const step = { pauseMs: Math.round(pauseMs * (0.5 + random())), first: planned(kind, random) }
      const others = kinds.filter((other) => faultRules[other].victim !== faultRules[kind].victim)
      const wantsPair = random() < pairShare
      const other = others[Math.floor(random() * others.length)]
      const second = wantsPair && other !== undefined ? [planned(other, random)] : []
      yield { pauseMs: step.pauseMs, faults: [step.first, ...second] }
    }
  }
}

function planned(kind: FaultKind, random: () => number): PlannedFault {
  const [leastMs, mostMs] = faultRules[kind].holdMs
  return { kind, holdMs: Math.round(leastMs + random() * (mostMs - leastMs)) }
}
