import { FreePorts } from './free-ports.ts'
import type { GoldenCase, Side } from './golden-case.ts'
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

/** Slow cases first, so that the others run beside them. */
export function slowFirst(cases: readonly GoldenCase[]): readonly GoldenCase[] {
  return [...cases.filter(({ slow }) => slow === true), ...cases.filter(({ slow }) => slow !== true)]
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
