import { systemClock } from '../clock.ts'
import type { Arguments, Command } from '../command-line.ts'
import { exitCode } from '../errors.ts'
import { readSecretFile } from '../read-secret-file.ts'
import { signToken } from '../token/sign-token.ts'
import { optionValue } from './token-option.ts'
import type { Environment, TokenDecision } from './token-decision.ts'

/** The token command of one generation of one program. */
export interface TokenCommandOptions {
  readonly decide: (environment: Environment, nowMs: number) => TokenDecision
  /** Start of the variables, which the options stand for. */
  readonly prefix: string
  /** Options by the variable whose value they give. */
  readonly variables: Readonly<Record<string, TokenVariable>>
  /** Default: for a topic. */
  readonly description?: string
}

/** An option, and what it means. */
export interface TokenVariable {
  readonly option: string
  readonly describe: string
  /** The only words that it takes. */
  readonly oneOf?: readonly string[]
  /** Its value where other options are given and it is not; the variables alone have no defaults. */
  readonly besideOptions?: string
}

/** Prints a token, signed with a shared secret. The secret comes by variable or file, never as an argument. */
export function tokenCommand({
  decide,
  prefix,
  variables,
  description = 'print a token for a topic',
}: TokenCommandOptions): Command {
  const options = Object.entries(variables).map(
    ([name, { option, describe }]) =>
      [option, { type: 'string', requiresArg: true, describe: `${describe} [${prefix}_${name}]` }] as const,
  )
  return {
    usage: 'token',
    description,
    options: {
      ...Object.fromEntries(options),
      'secret-file': {
        type: 'string',
        requiresArg: true,
        describe: `file with the shared secret [${prefix}_SECRET, ${prefix}_SECRET_FILE]`,
      },
    },
    run: async (args, process) => {
      const environment = await settingsOf(args, { prefix, variables, environment: process.environment })
      const decision = decide(environment, systemClock.nowMs())
      if (!decision.ok) {
        for (const line of decision.lines) process.stdout.write(`${line}\n`)
        return exitCode.failed
      }
      const { claims, secret } = decision.request
      process.stdout.write(`${await signToken(claims, new TextEncoder().encode(secret))}\n`)
      return exitCode.ok
    },
  }
}

async function settingsOf(
  args: Arguments,
  options: Pick<TokenCommandOptions, 'prefix' | 'variables'> & { readonly environment: Environment },
): Promise<Environment> {
  const { prefix, variables, environment } = options
  const settings: Record<string, string | undefined> = { ...environment }
  const isByOption = Object.values(variables).some(({ option }) => args[option] !== undefined)
  for (const [name, { option, oneOf, besideOptions }] of Object.entries(variables)) {
    const variable = `${prefix}_${name}`
    const value = args[option]
    if (typeof value === 'string') settings[variable] = optionValue(option, value, oneOf)
    else if (isByOption && (settings[variable] ?? '') === '') settings[variable] = besideOptions
  }
  const fileName = args['secret-file'] ?? environment[`${prefix}_SECRET_FILE`]
  if (typeof fileName === 'string' && fileName !== '') {
    settings[`${prefix}_SECRET`] = await readSecretFile(fileName)
  }
  return settings
}
