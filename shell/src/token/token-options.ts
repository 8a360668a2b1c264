import type { TokenCommandOptions } from '@relay/common/token-command/token-command'
import {
  decideShellToken,
  jumpTokenVariables,
  scopesByRole,
  shellTokenVariables,
  type TokenVariables,
} from './token-request.ts'

/** `shell token` of v0.2.2. */
export const shellToken: TokenCommandOptions = tokenOptions(shellTokenVariables, 'shell')

/** `jump token` of its successor. */
export const jumpToken: TokenCommandOptions = tokenOptions(jumpTokenVariables, 'connect')

function tokenOptions(names: TokenVariables, usualType: string): TokenCommandOptions {
  return {
    description: 'print a token for a host or a client',
    decide: (environment, nowMs) => decideShellToken(names, environment, nowMs),
    prefix: names.prefix,
    variables: {
      LIFETIME: {
        option: 'lifetime',
        describe: 'how long the token is valid: seconds, or a time such as 12h or 365d',
      },
      ROLE: {
        option: 'role',
        describe: `what it is for: ${Object.keys(scopesByRole).join(', ')}`,
        oneOf: Object.keys(scopesByRole),
      },
      TOPIC: { option: 'topic', describe: 'id of the experiment, such as pend00' },
      AUDIENCE: { option: 'audience', describe: 'address of the access API, as the relay knows it' },
      BOOKING_ID: { option: 'booking-id', describe: 'booking, by which the token can be denied' },
      [names.connectionType]: {
        option: 'connection-type',
        describe: `kind of connection (with other options: ${usualType})`,
        besideOptions: usualType,
      },
    },
  }
}
