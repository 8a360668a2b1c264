/**
 * How far the agent goes to get a camera back: start ffmpeg again; reset the camera on its USB bus, as if it had been
 * pulled and put back; switch the power of its USB port off and on.
 */
export const recoverySteps = ['restart', 'usb-reset', 'port-power'] as const
export type RecoveryStep = (typeof recoverySteps)[number]

export interface TroubleFacts {
  /** The furthest step that the configuration allows. */
  readonly upTo: RecoveryStep
  /** Of a clock that never jumps, as the other times. */
  readonly nowMs: number
  /** When the camera worked last. */
  readonly troubleSinceMs: number
  /** Attempts since then. */
  readonly failures: number
  /** Its device is there; one that is not cannot be reset. */
  readonly isPresent: boolean
  /** How often each was done since the camera was last well for long, and when. */
  readonly resets: number
  readonly lastResetAtMs: number | undefined
  readonly powerCycles: number
  readonly lastPowerCycleAtMs: number | undefined
}

/** A driver that only stumbled is back after a restart or two. */
const failuresBeforeReset = 3
const troubleBeforeResetMs = 15_000
const resetsBeforePower = 2
const troubleBeforePowerMs = 60_000
/** Between two of a kind; the wait doubles each time, as what did not help will hardly help soon. */
const betweenResetsMs = { first: 60_000, longest: 3_600_000 }
const betweenPowerCyclesMs = { first: 300_000, longest: 21_600_000 }

/** What to do before ffmpeg is started again. Pure. */
export function nextRecoveryStep(facts: TroubleFacts): RecoveryStep {
  const { upTo, nowMs, troubleSinceMs, failures, isPresent, resets, powerCycles } = facts
  const troubleMs = nowMs - troubleSinceMs
  const isDue = (
    lastAtMs: number | undefined,
    times: number,
    wait: { readonly first: number; readonly longest: number },
  ): boolean =>
    lastAtMs === undefined || nowMs - lastAtMs >= Math.min(wait.longest, wait.first * 2 ** (times - 1))
  const mayPower =
    upTo === 'port-power' && troubleMs >= troubleBeforePowerMs && (!isPresent || resets >= resetsBeforePower)
  if (mayPower && isDue(facts.lastPowerCycleAtMs, powerCycles, betweenPowerCyclesMs)) return 'port-power'
  const mayReset =
    upTo !== 'restart' && isPresent && failures >= failuresBeforeReset && troubleMs >= troubleBeforeResetMs
  if (mayReset && isDue(facts.lastResetAtMs, resets, betweenResetsMs)) return 'usb-reset'
  return 'restart'
}

/** A frozen picture is worked on so long after it was seen, and then after the work before did not help. */
const frozenWaitsMs: readonly number[] = [0, 60_000, 300_000, 1_800_000]

/**
 * Whether a frozen picture is worked on now: four times at most until it moves again. A source that simply shows the
 * same picture all day must not be interrupted all day. Pure.
 */
export function mayRecoverFrozen(attempts: number, sinceLastMs: number): boolean {
  const waitMs = frozenWaitsMs[attempts]
  return waitMs !== undefined && sinceLastMs >= waitMs
}
