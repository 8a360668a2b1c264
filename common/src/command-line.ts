import yargs, { type Options, type PositionalOptions } from 'yargs'
import { AppError, describeError, exitCode, exitCodeOf, UsageError } from './errors.ts'
import { leadsToJournal, withPriority } from './journal.ts'
import { withoutSecrets } from './log.ts'
import { explainFinding, onlyCommand, refuseWrongArguments } from './wrong-arguments.ts'

/** What a command may touch of the process; tests give their own. */
export interface Process {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly stdin: NodeJS.ReadableStream
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
  /** Aborts at SIGTERM or SIGINT. */
  readonly signal: AbortSignal
  /** Calls `listener` at each SIGHUP, the order to read files anew. Whoever does not listen is ended by it. */
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
    return await parseAndRun(program, argv, process)
  } catch (error) {
    writeFault(`${program.name}: ${explain(error)}\n`, process)
    if (error instanceof UsageError) process.stderr.write(`See "${program.name} --help".\n`)
    return exitCodeOf(error)
  }
}

/** One or more lines on stderr about what went wrong; in the journal of systemd they are errors, or `warning`s. */
export function writeFault(
  text: string,
  { stderr, environment }: Pick<Process, 'stderr' | 'environment'>,
  kind: 'error' | 'warning' = 'error',
): void {
  const { fd } = stderr as { readonly fd?: unknown }
  const isJournal = typeof fd === 'number' && leadsToJournal(fd, environment)
  stderr.write(isJournal ? withPriority(text, kind === 'error' ? 3 : 4) : text)
}

function explain(error: unknown): string {
  if (error instanceof AppError) return withoutSecrets(describeError(error))
  const stack = error instanceof Error ? error.stack : undefined
  return withoutSecrets(`unexpected fault, please report it: ${stack ?? describeError(error)}`)
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
  return await chosen.command.run(chosen.args, process)
}

/** A terminal, npm and a launcher may each pass on the one Ctrl-C: what comes this soon is no second order. */
const sameSignalWithinMs = 500

/**
 * Binds `run` to this process: arguments, signals and exit code. A second signal, half a second or more after the
 * first, ends at once. All output is out before the end. What nobody caught is printed as one sentence and ends with 70. Only for `main.ts`.
 */
export async function runMain(
  run: (argv: readonly string[], process: Process) => Promise<number>,
): Promise<void> {
  const controller = new AbortController()
  let orderedAtMs: number | undefined
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      orderedAtMs ??= performance.now()
      if (performance.now() - orderedAtMs >= sameSignalWithinMs) process.exit(exitCode.failed)
      controller.abort(signal)
    })
  }
  // Started through the launcher (launch.mjs), which was killed: nobody could tell this process to stop any more.
  process.once('disconnect', () => controller.abort('launcher gone'))
  process.channel?.unref()
  // Whoever reads our output may leave (`| head`): that is an order to stop, not a fault.
  process.stdout.on('error', () => controller.abort('stdout closed'))
  // Nobody is left to tell.
  process.stderr.on('error', () => undefined)
  const fail = (error: unknown): never => {
    writeFault(`${explain(error)}\n`, { stderr: process.stderr, environment: process.env })
    process.exit(exitCodeOf(error))
  }
  process.on('uncaughtException', fail)
  const { env, stdin, stdout, stderr } = process
  const code = await run(process.argv.slice(2), {
    environment: env,
    stdin,
    stdout,
    stderr,
    signal: controller.signal,
    onHangUp: (listener) => void process.on('SIGHUP', listener),
  }).catch(fail)
  await Promise.race([Promise.all([written(stdout), written(stderr)]), soonAfter(controller.signal)])
  process.exit(code)
}

/** After an order to stop, output that nobody takes is not waited for any longer than this. */
const lastOutputWithinMs = 1000

/** Resolves when all that was written has left: what goes into a pipe is sent behind our back, and an exit cuts it. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableLength === 0) resolve()
    else stream.write('', () => resolve())
  })
}

function soonAfter(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wait = (): void => void setTimeout(resolve, lastOutputWithinMs)
    if (signal.aborted) wait()
    else signal.addEventListener('abort', wait, { once: true })
  })
}
