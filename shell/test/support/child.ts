import { fileURLToPath } from 'node:url'
import { type Ended, ProgramChild } from '../../../common/test/support/program-child.ts'

const programs = {
  shell: fileURLToPath(new URL('../../bin/shell.mjs', import.meta.url)),
  jump: fileURLToPath(new URL('../../bin/jump.mjs', import.meta.url)),
}

export interface ChildOptions {
  readonly program?: keyof typeof programs
  readonly arguments: readonly string[]
  /** All of the child's environment but `PATH`. */
  readonly environment?: Readonly<Record<string, string>>
}

/** One of our programs as a real process. Use it with `await using`: it is killed where it still runs. */
export class Child extends ProgramChild {
  constructor({ program = 'shell', ...options }: ChildOptions) {
    super({ path: programs[program], ...options })
  }

  /** Runs a command to its end. */
  static async run(options: ChildOptions, input = ''): Promise<Ended> {
    await using child = new Child(options)
    child.process.stdin?.end(input)
    return await child.ended
  }
}
