import { isGoTrue } from '@relay/common/go-value'
import {
  type Environment,
  noToken,
  type TokenDecision,
  tokenTimes,
  variableReader,
} from '@relay/common/token-command/token-decision'

const nothingToDo = 'Neither read nor write scope, or both: no point in connecting.'

/** `session token` of v0.2.2 (spec session 2.3): the first thing that is missing is named. Pure. */
export function decideToken022(environment: Environment, nowMs: number): TokenDecision {
  const value = variableReader(environment, 'ACCESSTOKEN')
  const lifetimeSec = wholeSeconds(value('LIFETIME'))
  const connectionType = value('CONNECTIONTYPE') || 'session'
  const canRead = isTrue(value('READ'), true)
  const canWrite = isTrue(value('WRITE'), true)
  if (lifetimeSec === 0) return noToken('ACCESSTOKEN_LIFETIME not set')
  for (const name of ['SECRET', 'TOPIC', 'AUDIENCE']) {
    if (value(name) === '') return noToken(`ACCESSTOKEN_${name} not set`)
  }
  if (!canRead && !canWrite) return noToken(nothingToDo)
  return {
    ok: true,
    request: {
      secret: value('SECRET'),
      claims: {
        topic: value('TOPIC'),
        prefix: connectionType,
        scopes: [...(canWrite ? ['write'] : []), ...(canRead ? ['read'] : [])],
        aud: [value('AUDIENCE')],
        ...tokenTimes(nowMs, lifetimeSec),
      },
    },
  }
}

/** `relay token` of 0.9.3 (spec session 10.2): everything that is missing is named, one line each. Pure. */
export function decideToken093(environment: Environment, nowMs: number): TokenDecision {
  const value = variableReader(environment, 'RELAY_TOKEN')
  const lifetimeSec = wholeSeconds(value('LIFETIME'))
  const isAdmin = isTrue(value('SCOPE_ADMIN'), false)
  const wanted = isAdmin ? ['SECRET', 'AUDIENCE'] : ['SECRET', 'TOPIC', 'AUDIENCE']
  const missing = [
    ...(lifetimeSec === 0 ? ['LIFETIME'] : []),
    ...wanted.filter((name) => value(name) === ''),
  ].map((name) => `RELAY_TOKEN_${name} not set`)
  if (missing.length > 0) return { ok: false, lines: missing }
  const scopes = [
    ...(isAdmin ? ['relay:admin'] : []),
    ...(isTrue(value('SCOPE_WRITE'), true) ? ['write'] : []),
    ...(isTrue(value('SCOPE_READ'), true) ? ['read'] : []),
    ...value('SCOPE_OTHER')
      .split(/[\s,]+/)
      .filter((scope) => scope !== ''),
  ]
  if (scopes.length === 0) return noToken(nothingToDo)
  return {
    ok: true,
    request: {
      secret: value('SECRET'),
      claims: {
        booking_id: value('BOOKING_ID') || 'relay-token-cli',
        topic: value('TOPIC'),
        prefix: value('CONNECTION_TYPE') || 'session',
        scopes,
        aud: [value('AUDIENCE')],
        ...tokenTimes(nowMs, lifetimeSec),
      },
    },
  }
}

/** 0 for what is no whole number, which counts as not set. */
function wholeSeconds(text: string): number {
  return /^[+-]?[0-9]{1,15}$/.test(text) ? Number(text) : 0
}

/** Empty is the default; what is neither true nor false is false (spec session 2.1). */
function isTrue(text: string, byDefault: boolean): boolean {
  return text === '' ? byDefault : isGoTrue(text)
}
