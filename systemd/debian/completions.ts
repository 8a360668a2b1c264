import { globalOptions, type OptionOutline, type ProgramOutline } from './program-outline.ts'

/** Completions of one program, for bash, zsh and fish, from the tables behind `--help`. */
export interface Completions {
  readonly bash: string
  readonly zsh: string
  readonly fish: string
}

export function completionsOf(outline: ProgramOutline): Completions {
  return { bash: bashCompletion(outline), zsh: zshCompletion(outline), fish: fishCompletion(outline) }
}

/** `/usr/share/bash-completion/completions/<program>`. Pure. */
function bashCompletion({ name, commands }: ProgramOutline): string {
  const shell = name.replaceAll(/[^a-z]/g, '_')
  const withChoices = uniqueOptions(commands.flatMap(({ options }) => options)).filter(
    ({ choices }) => choices.length > 0,
  )
  return [
    `# Completion of ${name} for bash; made from the same tables as its --help.`,
    `_${shell}() {`,
    '  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command= i words',
    '  for ((i = 1; i < COMP_CWORD; i++)); do',
    '    case ${COMP_WORDS[i]} in',
    `      ${commands.map((command) => command.name).join('|')}) command=\${COMP_WORDS[i]}; break ;;`,
    '    esac',
    '  done',
    '  case $before in',
    ...withChoices.map(
      ({ name: option, choices }) =>
        `    --${option}) COMPREPLY=($(compgen -W '${choices.join(' ')}' -- "$word")); return ;;`,
    ),
    '    --*) if [[ $word != -* ]]; then COMPREPLY=($(compgen -f -- "$word")); fi ;;',
    '  esac',
    '  case $command in',
    ...commands.map(
      (command) =>
        `    ${command.name}) words='${[...command.options, ...globalOptions].map((option) => `--${option.name}`).join(' ')}' ;;`,
    ),
    `    *) words='${[...commands.map((command) => command.name), ...globalOptions.map((option) => `--${option.name}`)].join(' ')}' ;;`,
    '  esac',
    '  if [[ -z $command || $word == -* ]]; then COMPREPLY=($(compgen -W "$words" -- "$word")); fi',
    '}',
    `complete -o filenames -o bashdefault -F _${shell} ${name}`,
    '',
  ].join('\n')
}

/** `/usr/share/zsh/vendor-completions/_<program>`. Pure. */
function zshCompletion({ name, commands }: ProgramOutline): string {
  return [
    `#compdef ${name}`,
    `# Made from the same tables as its --help.`,
    'local -a commands=(',
    ...commands.map((command) => `  ${quoted(`${command.name}:${command.description}`)}`),
    ')',
    'if (( CURRENT == 2 )); then',
    '  _describe -t commands command commands',
    '  return',
    'fi',
    'local -a options',
    'case $words[2] in',
    ...commands.flatMap((command) => [
      `  ${command.name})`,
      '    options=(',
      ...[...command.options, ...globalOptions].map((option) => `      ${quoted(zshOption(option))}`),
      '    ) ;;',
    ]),
    'esac',
    `_arguments -S $options '*:file:_files'`,
    '',
  ].join('\n')
}

function zshOption({ name, description, takesValue, choices }: OptionOutline): string {
  const about = description.replaceAll(/[[\]\\:]/g, '\\$&')
  if (!takesValue) return `--${name}[${about}]`
  return `--${name}=[${about}]:value:${choices.length > 0 ? `(${choices.join(' ')})` : '_files'}`
}

/** `/usr/share/fish/vendor_completions.d/<program>.fish`. Pure. */
function fishCompletion({ name, commands }: ProgramOutline): string {
  const lines = [`# Completion of ${name} for fish; made from the same tables as its --help.`]
  const none = `__fish_use_subcommand`
  for (const command of commands)
    lines.push(`complete -c ${name} -n ${none} -f -a ${command.name} -d ${fishQuoted(command.description)}`)
  for (const command of commands) {
    for (const { name: option, description, takesValue, choices } of [...command.options, ...globalOptions]) {
      const value = takesValue
        ? ` -r${choices.length > 0 ? ` -f -a ${fishQuoted(choices.join(' '))}` : ''}`
        : ''
      lines.push(
        `complete -c ${name} -n '__fish_seen_subcommand_from ${command.name}' -l ${option}${value} -d ${fishQuoted(description)}`,
      )
    }
  }
  return `${lines.join('\n')}\n`
}

function uniqueOptions(options: readonly OptionOutline[]): readonly OptionOutline[] {
  return [...new Map(options.map((option) => [option.name, option])).values()]
}

function quoted(words: string): string {
  return `'${words.replaceAll("'", "'\\''")}'`
}

function fishQuoted(words: string): string {
  return `'${words.replaceAll(/['\\]/g, '\\$&')}'`
}
