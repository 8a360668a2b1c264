import { escapedMacro, manDate, manText } from './man-text.ts'
import type { CommandOutline, OptionOutline, ProgramOutline } from './program-outline.ts'

export interface ManPageFacts {
  readonly outline: ProgramOutline
  readonly sourceDateEpoch: number
  /** One line, without a full stop. */
  readonly about: string
  /** Paths and what they are. */
  readonly files: readonly (readonly [path: string, meaning: string])[]
  /** Names and sections of other pages. */
  readonly seeAlso: readonly (readonly [name: string, section: number])[]
}

/** The manual page of a program, section 1, in mdoc(7): every command with its options, as `--help` has them. Pure. */
export function manPage({ outline, sourceDateEpoch, about, files, seeAlso }: ManPageFacts): string {
  const { name, description, epilogue, commands } = outline
  const groups = sharedOptions(commands)
  return [
    `.Dd ${manDate(sourceDateEpoch)}`,
    `.Dt ${name.toUpperCase()} 1`,
    '.Os',
    '.Sh NAME',
    `.Nm ${name}`,
    `.Nd ${escapedMacro(about)}`,
    '.Sh SYNOPSIS',
    `.Nm ${name}`,
    '.Ar command',
    '.Op Ar options',
    '.Sh DESCRIPTION',
    ...manText(description),
    ...(epilogue === '' ? [] : ['.Pp', ...manText(epilogue)]),
    '.Pp',
    'The commands are:',
    '.Bl -tag -width Ds',
    ...commands.flatMap((command) => commandItem(command, groups)),
    '.El',
    ...groups.flatMap(groupParagraph),
    '.Sh FILES',
    '.Bl -tag -width Ds',
    ...files.flatMap(([path, meaning]) => [`.It Pa ${escapedMacro(path)}`, ...manText(meaning)]),
    '.El',
    '.Sh EXIT STATUS',
    '.Bl -tag -width Ds',
    ...exitCodes.flatMap((line) => line),
    '.El',
    '.Sh SEE ALSO',
    ...seeAlso.map(
      ([other, section], index) => `.Xr ${other} ${section}${index < seeAlso.length - 1 ? ' ,' : ''}`,
    ),
    '',
  ].join('\n')
}

const exitCodes: readonly (readonly [item: string, meaning: string])[] = [
  ['.It 0', 'Done, or stopped on request.'],
  ['.It 1', 'Refused, or failed otherwise.'],
  ['.It 64', 'Wrong arguments.'],
  ['.It 69', 'Something outside is missing or taken: a port, the relay, a running agent.'],
  ['.It 70', 'A bug.'],
  ['.It 78', 'Wrong settings; systemd does not start the service again.'],
]

interface OptionGroup {
  readonly commands: readonly string[]
  readonly options: readonly OptionOutline[]
}

/** Options that the same two or more commands have stand once, behind the commands. */
function sharedOptions(commands: readonly CommandOutline[]): readonly OptionGroup[] {
  const groups = new Map<
    string,
    { readonly commands: readonly string[]; readonly options: OptionOutline[] }
  >()
  const seen = new Set<string>()
  for (const option of commands.flatMap(({ options }) => options)) {
    const users = commands
      .filter(({ options }) => options.some((other) => isSame(option, other)))
      .map(({ name }) => name)
    const key = `${option.name}\n${option.description}`
    if (users.length < 2 || seen.has(key)) continue
    seen.add(key)
    const group = groups.get(users.join(' ')) ?? { commands: users, options: [] }
    group.options.push(option)
    groups.set(users.join(' '), group)
  }
  return [...groups.values()]
}

function groupParagraph({ commands, options }: OptionGroup): string[] {
  const items = options.flatMap(optionItem)
  return ['.Pp', ...manText(`Options of ${listed(commands)}:`), '.Bl -tag -width Ds', ...items, '.El']
}

function isSame(a: OptionOutline, b: OptionOutline): boolean {
  return a.name === b.name && a.description === b.description
}

function commandItem(command: CommandOutline, groups: readonly OptionGroup[]): string[] {
  const [, ...positionals] = command.usage.split(' ')
  const shared = groups
    .filter(({ commands }) => commands.includes(command.name))
    .flatMap(({ options }) => options)
  const own = command.options.filter((option) => !shared.some((other) => isSame(option, other)))
  const items = [
    ...command.positionals.flatMap(({ name, description }) => [
      `.It Ar ${escapedMacro(name)}`,
      ...manText(description),
    ]),
    ...own.flatMap(optionItem),
  ]
  return [
    `.It Cm ${command.name}${positionals.map((word) => ` ${positional(word)}`).join('')}`,
    ...manText(sentence(command.description)),
    ...(shared.length > 0 ? manText('It takes the shared options below.') : []),
    ...(items.length === 0 ? [] : ['.Bl -tag -width Ds', ...items, '.El']),
  ]
}

function positional(word: string): string {
  const name = escapedMacro(word.replaceAll(/[<>[\].]/g, ''))
  return word.startsWith('[') ? `Op Ar ${name}` : `Ar ${name}`
}

function optionItem({ name, description, takesValue, choices, defaultText }: OptionOutline): string[] {
  const value = choices.length > 0 ? choices.join(' | ') : 'value'
  return [
    `.It Fl -${escapedMacro(name)}${takesValue ? ` Ar ${escapedMacro(value)}` : ''}`,
    ...manText(sentence(description)),
    ...(defaultText === '' ? [] : manText(`Default: ${defaultText}.`)),
  ]
}

function sentence(words: string): string {
  if (words === '') return words
  const begun = words.charAt(0).toUpperCase() + words.slice(1)
  return /[.!?]$/.test(begun) ? begun : `${begun}.`
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}
