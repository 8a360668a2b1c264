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
  readonly variables: Readonly<Record<string, { readonly option: string; readonly describe: string }>>
}

/** Prints a token, signed with a shared secret. The secret comes by variable or file, never as an argument. */
export function tokenCommand({ decide, prefix, variables }: TokenCommandOptions): Command {
  const options = Object.entries(variables).map(
    ([name, { option, describe }]) =>
      [option, { type: 'string', requiresArg: true, describe: `${describe} [${prefix}_${name}]` }] as const,
  )
  return {
    usage: 'token',
    description: 'print a token for a topic',
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
  for (const [name, { option }] of Object.entries(variables)) {
    const value = args[option]
    if (typeof value === 'string') settings[`${prefix}_${name}`] = optionValue(option, value)
  }
  const fileName = args['secret-file'] ?? environment[`${prefix}_SECRET_FILE`]
  if (typeof fileName === 'string' && fileName !== '') {
    settings[`${prefix}_SECRET`] = await readSecretFile(fileName)
  }
  return settings
}
