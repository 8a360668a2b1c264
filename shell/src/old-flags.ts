import type { Process } from '@relay/common/command-line'
import { UsageError } from '@relay/common/errors'
import { writeFault } from '@relay/common/write-fault'

/** A command line without the flags that the old programs took everywhere, and the names of those that stood there. */
export interface ReducedArguments {
  readonly argv: readonly string[]
  readonly flags: readonly string[]
}

const goBooleans: ReadonlySet<string> = new Set(
  ['1', '0', 't', 'f', 'T', 'F'].concat(['true', 'false', 'True', 'False', 'TRUE', 'FALSE']),
)

/**
 * Takes `--dev` and `--log <file>` off a command line, wherever they stand: both old programs took them before and behind
 * every command, and did nothing with them (spec shell 2 and 9.3). Pure.
 * @throws {UsageError} where their values are wrong, as the old programs refused those too.
 */
export function withoutOldFlags(argv: readonly string[]): ReducedArguments {
  const kept: string[] = []
  const flags = new Set<string>()
  for (let at = 0; at < argv.length; at += 1) {
    const argument = argv[at] ?? ''
    if (argument === '--') {
      kept.push(...argv.slice(at))
      break
    }
    const [, flag, value] = /^(--dev|--log)(?:=(.*))?$/s.exec(argument) ?? []
    if (flag === undefined) {
      kept.push(argument)
      continue
    }
    flags.add(flag)
    if (flag === '--dev' && value !== undefined && !goBooleans.has(value))
      throw new UsageError(`--dev: "${value.slice(0, 60)}" is not true or false`)
    if (flag === '--log' && value === undefined) {
      at += 1
      if (argv[at] === undefined) throw new UsageError('--log needs a value')
    }
  }
  return { argv: kept, flags: [...flags] }
}

/**
 * `prepare` of a program whose predecessors had such flags: they are accepted, and one line on stderr says what to take.
 * `help <command>` is `<command> --help`, as it was.
 * @throws {UsageError}
 */
export function acceptOldFlags(
  program: string,
): (argv: readonly string[], process: Process) => readonly string[] {
  return (given, process) => {
    const { argv, flags } = withoutOldFlags(given)
    if (flags.length > 0) {
      const names = flags.join(' and ')
      const text = `${program}: ${names} did nothing in the old programs and does nothing here; for more of the log take --log-level\n`
      writeFault(text, process, 'warning')
    }
    const [first, ...rest] = argv
    return first === 'help' && rest.length > 0 ? [...rest, '--help'] : argv
  }
}
