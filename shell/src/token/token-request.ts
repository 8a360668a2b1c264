import { goInteger } from '@relay/common/go-value'
import {
  type Environment,
  noToken,
  type TokenDecision,
  tokenTimes,
  variableReader,
} from '@relay/common/token-command/token-decision'

/** What each role of the old token commands may do (spec shell 2). */
export const scopesByRole = {
  host: ['host'],
  client: ['client'],
  stats: ['stats'],
  read: ['read'],
  write: ['write'],
  readwrite: ['read', 'write'],
} as const satisfies Readonly<Record<string, readonly string[]>>

/** The names of variables in which the two generations differ. */
export interface TokenVariables {
  readonly prefix: string
  readonly connectionType: string
}

/** `shell token` of v0.2.2. */
export const shellTokenVariables: TokenVariables = {
  prefix: 'SHELLTOKEN',
  connectionType: 'CONNECTIONTYPE',
}

/** `jump token` of its successor. */
export const jumpTokenVariables: TokenVariables = {
  prefix: 'JUMP_TOKEN',
  connectionType: 'CONNECTION_TYPE',
}

/**
 * What the variables of a token command ask for (spec shell 2 and 9.3): the first thing that is missing is named. A
 * role that is none gives no token, where the old programs gave one without scopes. Pure.
 */
export function decideShellToken(
  { prefix, connectionType }: TokenVariables,
  environment: Environment,
  nowMs: number,
): TokenDecision {
  const value = variableReader(environment, prefix)
  // What is no number counts as 0, and 0 as not set.
  const lifetimeSec = goInteger(value('LIFETIME')) ?? 0
  if (lifetimeSec === 0) return noToken(`${prefix}_LIFETIME not set`)
  for (const name of ['ROLE', 'SECRET', 'TOPIC', connectionType, 'AUDIENCE']) {
    if (value(name) === '') return noToken(`${prefix}_${name} not set`)
  }
  const role = value('ROLE')
  if (!isRole(role)) {
    return noToken(`${prefix}_ROLE is not one of ${Object.keys(scopesByRole).join(', ')}`)
  }
  const bookingId = value('BOOKING_ID')
  return {
    ok: true,
    request: {
      secret: value('SECRET'),
      claims: {
        ...(bookingId === '' ? {} : { booking_id: bookingId }),
        topic: value('TOPIC'),
        prefix: value(connectionType),
        scopes: scopesByRole[role],
        aud: [value('AUDIENCE')],
        ...tokenTimes(nowMs, lifetimeSec),
      },
    },
  }
}

function isRole(text: string): text is keyof typeof scopesByRole {
  return Object.hasOwn(scopesByRole, text)
}
