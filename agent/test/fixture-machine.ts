import { LocalMachine } from '../src/doctor/local-machine.ts'
import type { CommandEnd, CommandLimits } from '../src/doctor/machine.ts'

export interface FixtureMachineOptions {
  /** A tree of files that stands for the whole machine. */
  readonly root: string
  readonly environment?: Readonly<Record<string, string>>
  /** What commands print, by program and arguments as one line; every other one is missing. */
  readonly commands?: Readonly<Record<string, string | CommandEnd>>
}

/** A machine of a tree of files and of commands whose output is written down. */
export class FixtureMachine extends LocalMachine {
  readonly #commands: NonNullable<FixtureMachineOptions['commands']>

  constructor({ root, environment = {}, commands = {} }: FixtureMachineOptions) {
    super({ environment, root, signal: new AbortController().signal })
    this.#commands = commands
  }

  override run(program: string, args: readonly string[], _limits?: CommandLimits): Promise<CommandEnd> {
    const line = [program, ...args].join(' ')
    const key = Object.keys(this.#commands).find((start) => line === start || line.startsWith(`${start} `))
    const output = key === undefined ? undefined : this.#commands[key]
    if (output === undefined) return Promise.resolve({ kind: 'missing' })
    return Promise.resolve(
      typeof output === 'string' ? { kind: 'ended', code: 0, stdout: output, stderr: '' } : output,
    )
  }
}
