import yargs, { type Options, type PositionalOptions } from 'yargs'
import { exitCode, UsageError } from './errors.ts'
import {
  explainFinding,
  onlyCommand,
  refuseWrongArguments,
  refuseWrongSwitchesInFront,
} from './wrong-arguments.ts'
import { endWithFault } from './write-fault.ts'

/** What a command may touch of the process; tests give their own. */
export interface Process {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly stdin: NodeJS.ReadableStream
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
  /** Aborts at SIGTERM or SIGINT. */
  readonly signal: AbortSignal
  /**
   * Calls `listener` at each SIGHUP, the order to read files anew. Whoever does not listen is ended by it, and so is
   * what runs in a terminal, where it says that the terminal is closed.
   */
  readonly onHangUp?: (listener: () => void) => void
}

export type Arguments = Readonly<Record<string, unknown>>

export interface Command {
  /** Name and positionals as yargs writes them: `deny <bid>`. */
  readonly usage: string
  readonly description: string
  readonly options?: Readonly<Record<string, Options>>
  readonly positionals?: Readonly<Record<string, PositionalOptions>>
  /** Its exit code; may throw any error, which is printed as one sentence. */
  run(args: Arguments, process: Process): Promise<number>
}

export interface Program {
  readonly name: string
  readonly description: string
  readonly version: string
  readonly commands: readonly Command[]
  /** What is left of a command line for us, where a program accepts what its predecessors did; may throw `UsageError`. */
  readonly prepare?: (argv: readonly string[], process: Process) => readonly string[]
  /** Shown at the end of `--help`. */
  readonly epilogue?: string
}

/**
 * Runs the command that `argv` (without node and script) names, and gives the exit code: 0, or 64 with one sentence
 * on stderr for a wrong command line, else what `exitCodeOf` says. Unknown commands and options are refused.
 */
export async function runProgram(
  program: Program,
  argv: readonly string[],
  process: Process,
): Promise<number> {
  try {
    return await parseAndRun(program, program.prepare?.(argv, process) ?? argv, process)
  } catch (error) {
    return endWithFault(program.name, error, process)
  }
}

async function parseAndRun(program: Program, argv: readonly string[], process: Process): Promise<number> {
  const known = { program: program.name, commands: program.commands }
  refuseWrongArguments(argv, known)
  let chosen: { readonly command: Command; readonly args: Arguments } | undefined
  const parser = yargs([...argv])
    .scriptName(program.name)
    .usage(
      `${program.description}\n\nUsage: $0 ${onlyCommand(known) === undefined ? '<command> ' : ''}[options]`,
    )
    .version(program.version)
    .help()
    .alias('h', 'help')
    .strict()
    .demandCommand(1, 'a command is missing')
    // Findings are told apart by their English text; a person gets our own sentence.
    .locale('en')
    .detectLocale(false)
    .parserConfiguration({
      // A booking id of digits stays the text that it is.
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'duplicate-arguments-array': false,
      'boolean-negation': true,
      'dot-notation': false,
    })
    .wrap(110)
    .exitProcess(false)
    .fail((message, error) => {
      // The library's own findings come as text or as a YError; anything else is a fault of a command.
      if (error === undefined || error.name === 'YError')
        throw new UsageError(explainFinding(error?.message ?? message ?? '', argv, known))
      throw error
    })
  if (program.epilogue !== undefined) parser.epilogue(program.epilogue)
  for (const command of program.commands) {
    parser.command(
      command.usage,
      command.description,
      (builder) => {
        for (const [name, positional] of Object.entries(command.positionals ?? {}))
          builder.positional(name, positional)
        return builder.options(command.options ?? {})
      },
      (args) => {
        chosen = { command, args }
      },
    )
  }
  const output = await new Promise<string>((resolve, reject) => {
    parser
      .parseAsync([...argv], {}, (error, _args, text) => {
        if (error instanceof Error) reject(error)
        else resolve(text)
      })
      .catch(reject)
  })
  if (output !== '') process.stdout.write(`${output}\n`)
  if (chosen === undefined) return exitCode.ok
  refuseWrongSwitchesInFront(argv, chosen.command.options)
  return await chosen.command.run(chosen.args, process)
}
