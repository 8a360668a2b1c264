import type { Part } from './part.ts'

/** A camera, an instrument or an uplink: what runs, under whatever name it has among the members of a feed. */
export type Runner = Pick<Part, 'progress' | 'run'>

/** A part whose name is for people, as the status has it: an uplink calls itself by its address, which may hold a code. */
export class NamedPart implements Part {
  readonly name: string
  readonly runner: Runner

  constructor(name: string, runner: Runner) {
    this.name = name
    this.runner = runner
  }

  get progress(): Part['progress'] {
    return this.runner.progress
  }

  run(signal: AbortSignal): Promise<void> {
    return this.runner.run(signal)
  }
}
