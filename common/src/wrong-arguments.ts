import type { Options } from 'yargs'
import { UsageError } from './errors.ts'
import { nearestName } from './nearest-name.ts'

/** What is known of a program's command line, as far as it is needed to say what is wrong with one. */
export interface KnownArguments {
  readonly program: string
  readonly commands: readonly {
    /** Name and positionals: `deny <bid>`. */
    readonly usage: string
    readonly options?: Readonly<Record<string, Options>>
  }[]
}

/**
 * Finds what the parser would let pass or explain badly: no command or an unknown one, a value for a switch that is
 * neither true nor false, a negated option that has a value. Pure.
 * @throws {UsageError}
 */
export function refuseWrongArguments(argv: readonly string[], known: KnownArguments): void {
  const [name] = argv
  const only = onlyCommand(known)
  if (only !== undefined) {
    // A program that does one thing: its arguments begin at once.
    refuseWrongSwitches(argv, only.options ?? {})
    if (name !== undefined && !name.startsWith('-'))
      throw new UsageError(`"${name}" is one argument too many`)
    return
  }
  const names = known.commands.map(commandName)
  if (name === undefined) throw new UsageError(`a command is missing; there are ${names.join(', ')}`)
  // The parser takes options in front of a command too; which one it is, the parser alone can tell.
  if (name.startsWith('-') || name === 'help') return
  const command = known.commands.find((candidate) => commandName(candidate) === name)
  if (command === undefined) {
    const near = nearestName(name, names)
    const advice = near === undefined ? `there are ${names.join(', ')}` : `did you mean "${near}"?`
    throw new UsageError(`there is no command "${name}"; ${advice}`)
  }
  refuseWrongSwitches(argv.slice(1), command.options ?? {})
}

/**
 * Finds wrong switches among the arguments of a command that stands behind options. Pure.
 * @throws {UsageError}
 */
export function refuseWrongSwitchesInFront(
  argv: readonly string[],
  options: Readonly<Record<string, Options>> = {},
): void {
  if (argv[0]?.startsWith('-') === true) refuseWrongSwitches(argv, options)
}

/** The one command, named `$0`, of a program that has no others; undefined for a program with named commands. Pure. */
export function onlyCommand(known: KnownArguments): KnownArguments['commands'][number] | undefined {
  const [first] = known.commands
  return first !== undefined && known.commands.length === 1 && commandName(first) === '$0' ? first : undefined
}

/** Asks about the program itself. */
function isAboutAll(argument: string): boolean {
  return /^(help|-h|--(help|version)(=.*)?)$/.test(argument)
}

function refuseWrongSwitches(argv: readonly string[], options: Readonly<Record<string, Options>>): void {
  const end = argv.indexOf('--')
  for (const argument of argv.slice(0, end < 0 ? undefined : end)) refuseWrongSwitch(argument, options)
}

function commandName({ usage }: { readonly usage: string }): string {
  return usage.split(' ', 1)[0] ?? ''
}

function refuseWrongSwitch(argument: string, options: Readonly<Record<string, Options>>): void {
  const [, negation, name = '', value] = /^--(no-)?([^=]+)(?:=(.*))?$/.exec(argument) ?? []
  const option = Object.hasOwn(options, name) ? options[name] : undefined
  if (option === undefined) return
  const isSwitch = option.type === 'boolean'
  if (negation !== undefined && !isSwitch)
    throw new UsageError(`--${name} has a value, so --no-${name} means nothing`)
  if (isSwitch && value !== undefined && value !== 'true' && value !== 'false') {
    throw new UsageError(`--${name}: "${value}" is not true or false`)
  }
}

/** The parser's own finding as one sentence that names the argument as it was typed. Pure. */
export function explainFinding(finding: string, argv: readonly string[], known: KnownArguments): string {
  const [first = ''] = argv
  // An unknown option takes the command behind it for its value, and then nothing else is true of the line.
  if (onlyCommand(known) === undefined && first.startsWith('-') && !isAboutAll(first)) {
    const names = new Set(known.commands.map(commandName))
    if (argv.some((argument) => names.has(argument)))
      return `a command comes first, and ${first.split('=')[0]} behind it`
  }
  const text = finding.replaceAll(/\s*\n\s*/g, ' ').replace(/\.$/, '')
  const [kind = '', rest = ''] = splitAtColon(text)
  const command = onlyCommand(known) ?? known.commands.find((candidate) => commandName(candidate) === argv[0])
  const options = Object.keys(command?.options ?? {})
  switch (kind) {
    case 'Unknown argument':
    case 'Unknown arguments':
    case 'Unknown command':
    case 'Unknown commands':
      return rest
        .split(', ')
        .map((name) => unknownArgument(name, argv, options))
        .join('; ')
    case 'Not enough arguments following':
      return `--${rest} needs a value`
    case 'Missing required argument':
    case 'Missing required arguments':
      return `${rest
        .split(', ')
        .map((name) => `--${name}`)
        .join(' and ')} is missing`
    case 'Not enough non-option arguments':
      return `an argument is missing: ${known.program} ${command?.usage ?? '<command>'}`
    case 'Invalid values':
      return rest.replaceAll(/Argument: ([^,]+), Given: (.*?), Choices: /g, '--$1: $2 is not one of ')
    default:
      return text === '' ? 'the command line is wrong' : text.charAt(0).toLowerCase() + text.slice(1)
  }
}

function splitAtColon(text: string): readonly string[] {
  const at = text.indexOf(': ')
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 2)]
}

function unknownArgument(name: string, argv: readonly string[], options: readonly string[]): string {
  const asTyped = argv.find((argument) => argument.startsWith('-') && argument.split('=')[0]?.endsWith(name))
  if (asTyped === undefined) return `"${name}" is one argument too many`
  const near = nearestName(name, options)
  return `there is no option ${asTyped.split('=')[0]}${near === undefined ? '' : `; did you mean --${near}?`}`
}
