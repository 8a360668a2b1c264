import { FreePorts } from './free-ports.ts'
import { expectationOf, type GoldenCase, type Side, type Step } from './golden-case.ts'
import type { ProgramCommands } from './program-commands.ts'
import { type CaseFailure, runCase } from './run-case.ts'
import { ServerPool } from './server-pool.ts'

export interface ReplayOptions {
  readonly commands: ProgramCommands
  readonly side: Side
}

/** Replays cases, several at a time if asked to, over shared servers. Owns them: dispose of it to end them. */
export class Replay implements AsyncDisposable {
  readonly #options: ReplayOptions
  readonly #ports = new FreePorts()
  readonly #pool: ServerPool

  constructor(options: ReplayOptions) {
    this.#options = options
    this.#pool = new ServerPool({ commands: options.commands, ports: this.#ports })
  }

  run(golden: GoldenCase): Promise<readonly CaseFailure[]> {
    return runCase(golden, { ...this.#options, ports: this.#ports, servers: this.#pool })
  }

  /** Ends every server. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.stop()
  }
}

export interface ReplayPlan {
  /** Cases that judge fractions of a second: one after the other, with nothing of ours beside them. */
  readonly alone: readonly GoldenCase[]
  /** The others, which may run side by side; slow ones first, so that the rest runs while they wait. */
  readonly together: readonly GoldenCase[]
}

/** A longer wait is for something that takes its time, and is generous. */
const longestTightWaitMs = 1000

/** Sorts cases by what they need of the machine. */
export function planReplay(cases: readonly GoldenCase[]): ReplayPlan {
  const alone = cases.filter((golden) => golden.slow !== true && golden.steps.some(judgesMoments))
  const rest = cases.filter((golden) => !alone.includes(golden))
  const isSlow = (golden: GoldenCase): boolean => golden.slow === true
  return { alone, together: [...rest.filter(isSlow), ...rest.filter((golden) => !isSlow(golden))] }
}

/**
 * A starved machine ends a connection late, makes one message of two that were sent a moment apart, and has not done in
 * a fixed wait what the case gives it time for.
 */
function judgesMoments(step: Step): boolean {
  if (step.do === 'wait' && step.ms <= longestTightWaitMs) return true
  const { afterMs, minMessages = 1 } = expectationOf(step, 'wanted') ?? {}
  return afterMs !== undefined || minMessages > 1
}

/** For people: a case and what went wrong in it; empty when nothing did. */
export function describeFailures(golden: GoldenCase, failures: readonly CaseFailure[]): string {
  if (failures.length === 0) return ''
  const lines = failures.flatMap(({ stepNumber, step, problems }) => [
    `  step ${String(stepNumber)}: ${step}`,
    ...problems.map((problem) => `    ${problem}`),
  ])
  return [`${golden.name} (${golden.generation})`, ...lines].join('\n')
}
