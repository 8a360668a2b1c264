import type { Clock } from '@relay/common/clock'
import { describeError } from '@relay/common/errors'
import { unknown, type Verdict } from './verdict.ts'

/** One area that the doctor looks at. */
export interface Check {
  /** For people: `serial ports`. Unique. */
  readonly area: string
  /** Gathers facts and judges them. `signal` aborts at its deadline; whoever does not listen is left behind. */
  look(signal: AbortSignal): Promise<readonly Verdict[]>
}

export interface CheckResult {
  readonly area: string
  readonly tookMs: number
  readonly verdicts: readonly Verdict[]
}

export interface RunChecksOptions {
  /** For each check. */
  readonly timeoutMs: number
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Called at the start and whenever a check has ended, with the areas that are still looked at. */
  readonly onProgress?: (running: readonly string[]) => void
}

/**
 * Runs all checks at the same time and gives their results in the order of the list. One that hangs, throws or lasts
 * too long says so in its own area and harms no other.
 */
export async function runChecks(
  checks: readonly Check[],
  options: RunChecksOptions,
): Promise<readonly CheckResult[]> {
  const running = new Set(checks.map(({ area }) => area))
  options.onProgress?.([...running])
  return await Promise.all(
    checks.map(async (check) => {
      const result = await runCheck(check, options)
      running.delete(check.area)
      options.onProgress?.([...running])
      return result
    }),
  )
}

async function runCheck(check: Check, { timeoutMs, clock, signal }: RunChecksOptions): Promise<CheckResult> {
  const startedAtMs = clock.monotonicMs()
  const deadline = new AbortController()
  const ending = AbortSignal.any([signal, deadline.signal])
  const over = new AbortController()
  const late = clock.sleep(timeoutMs, AbortSignal.any([signal, over.signal])).then((): readonly Verdict[] => {
    deadline.abort()
    return [
      unknown(
        signal.aborted
          ? 'it was not looked at to the end, as the doctor was stopped'
          : `it could not be looked at within ${timeoutMs / 1000} s: something hangs`,
        signal.aborted ? undefined : 'run it again; where it hangs again, "dmesg" may tell why',
      ),
    ]
  })
  const looked = check
    .look(ending)
    .catch((error: unknown): readonly Verdict[] => [
      unknown(`it could not be looked at: ${describeError(error)}`),
    ])
  const verdicts = await Promise.race([looked, late])
  over.abort()
  return { area: check.area, tookMs: Math.round(clock.monotonicMs() - startedAtMs), verdicts }
}
