import type { Command, Program } from '@relay/common/command-line'

/** One option, as `--help`, the man page and the completions show it. */
export interface OptionOutline {
  readonly name: string
  readonly description: string
  /** Whether a value follows it. */
  readonly takesValue: boolean
  readonly choices: readonly string[]
  readonly defaultText: string
}

export interface PositionalOutline {
  readonly name: string
  readonly description: string
}

export interface CommandOutline {
  readonly name: string
  /** Name and positionals: `deny <bid>`. */
  readonly usage: string
  readonly description: string
  readonly positionals: readonly PositionalOutline[]
  readonly options: readonly OptionOutline[]
}

/** What a program understands, in the form that papers are made from. */
export interface ProgramOutline {
  readonly name: string
  readonly description: string
  readonly epilogue: string
  readonly commands: readonly CommandOutline[]
}

/** Every program has these beside its commands. */
export const globalOptions: readonly OptionOutline[] = [
  flag('help', 'show the commands, or the options of a command'),
  flag('version', 'show the version'),
]

/** Reads the tables from which the program itself makes its `--help`. Pure. */
export function outlineOf(program: Program): ProgramOutline {
  return {
    name: program.name,
    description: program.description,
    epilogue: program.epilogue ?? '',
    commands: program.commands.map(commandOutline),
  }
}

function commandOutline({ usage, description, options = {}, positionals = {} }: Command): CommandOutline {
  return {
    name: usage.split(' ')[0] ?? usage,
    usage,
    description,
    positionals: Object.entries(positionals).map(([name, { describe }]) => ({
      name,
      description: textOf(describe),
    })),
    options: Object.entries(options)
      .filter(([, { hidden }]) => hidden !== true)
      .map(([name, option]) => ({
        name,
        description: textOf(option.describe ?? option.description),
        takesValue: option.type !== 'boolean' && option.boolean !== true && option.type !== 'count',
        choices: (option.choices ?? []).map(textOf),
        defaultText: option.defaultDescription ?? textOf(option.default),
      })),
  }
}

function flag(name: string, description: string): OptionOutline {
  return { name, description, takesValue: false, choices: [], defaultText: '' }
}

function textOf(value: unknown): string {
  if (value === undefined || value === null || value === false || value === '') return ''
  return typeof value === 'string' || typeof value === 'number' || value === true ? String(value) : ''
}
