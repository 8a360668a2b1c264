import { systemClock } from '@relay/common/clock'
import type { Arguments, Command } from '@relay/common/command-line'
import { exitCode } from '@relay/common/errors'
import { signToken } from '@relay/common/token/sign-token'
import { optionValue } from './token-option.ts'
import { readSecretFile } from './read-secret-file.ts'
import { decideToken022, decideToken093, type TokenDecision } from './token-request.ts'

type Environment = Readonly<Record<string, string | undefined>>

interface TokenCommandOptions {
  readonly decide: (environment: Environment, nowMs: number) => TokenDecision
  /** Start of the variables, which the options stand for. */
  readonly prefix: 'ACCESSTOKEN' | 'RELAY_TOKEN'
  /** Options by the variable whose value they give. */
  readonly variables: Readonly<Record<string, { readonly option: string; readonly describe: string }>>
}

const lifetime = {
  option: 'lifetime',
  describe: 'how long the token is valid: seconds, or a time such as 12h or 365d',
}
const topic = { option: 'topic', describe: 'topic, such as spin30-data' }
const audience = { option: 'audience', describe: 'address of the access API, as the relay knows it' }
const connectionType = { option: 'connection-type', describe: 'kind of connection (default session)' }
const read = { option: 'read', describe: 'may hear: true (default) or false' }
const write = { option: 'write', describe: 'may speak: true (default) or false' }

/** `session token` of v0.2.2. */
export const sessionToken: TokenCommandOptions = {
  decide: decideToken022,
  prefix: 'ACCESSTOKEN',
  variables: {
    LIFETIME: lifetime,
    TOPIC: topic,
    AUDIENCE: audience,
    CONNECTIONTYPE: connectionType,
    READ: read,
    WRITE: write,
  },
}

/** `relay token` of 0.9.3. */
export const relayToken: TokenCommandOptions = {
  decide: decideToken093,
  prefix: 'RELAY_TOKEN',
  variables: {
    LIFETIME: lifetime,
    TOPIC: topic,
    AUDIENCE: audience,
    BOOKING_ID: { option: 'booking-id', describe: 'booking (default relay-token-cli)' },
    CONNECTION_TYPE: connectionType,
    SCOPE_READ: read,
    SCOPE_WRITE: write,
    SCOPE_ADMIN: { option: 'admin', describe: 'may deny and allow bookings: true or false (default)' },
    SCOPE_OTHER: { option: 'scope', describe: 'further scopes, such as relay:stats' },
  },
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
