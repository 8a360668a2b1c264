import type { TokenClaims } from '@relay/common/token/sign-token'

type Environment = Readonly<Record<string, string | undefined>>

/** What a token is to say, and the secret to sign it with. */
export interface TokenRequest {
  readonly claims: TokenClaims
  readonly secret: string
}

/** Lines for stdout and exit code 1, as the old token commands give them. */
export type TokenDecision =
  | { readonly ok: true; readonly request: TokenRequest }
  | { readonly ok: false; readonly lines: readonly string[] }

const nothingToDo = 'Neither read nor write scope, or both: no point in connecting.'

/** `session token` of v0.2.2 (spec session 2.3): the first thing that is missing is named. Pure. */
export function decideToken022(environment: Environment, nowMs: number): TokenDecision {
  const value = reader(environment, 'ACCESSTOKEN')
  const lifetimeSec = wholeSeconds(value('LIFETIME'))
  const connectionType = value('CONNECTIONTYPE') || 'session'
  const canRead = isTrue(value('READ'), true)
  const canWrite = isTrue(value('WRITE'), true)
  if (lifetimeSec === 0) return refused('ACCESSTOKEN_LIFETIME not set')
  for (const name of ['SECRET', 'TOPIC', 'AUDIENCE']) {
    if (value(name) === '') return refused(`ACCESSTOKEN_${name} not set`)
  }
  if (!canRead && !canWrite) return refused(nothingToDo)
  return {
    ok: true,
    request: {
      secret: value('SECRET'),
      claims: {
        topic: value('TOPIC'),
        prefix: connectionType,
        scopes: [...(canWrite ? ['write'] : []), ...(canRead ? ['read'] : [])],
        aud: [value('AUDIENCE')],
        ...times(nowMs, lifetimeSec),
      },
    },
  }
}

/** `relay token` of 0.9.3 (spec session 10.2): everything that is missing is named, one line each. Pure. */
export function decideToken093(environment: Environment, nowMs: number): TokenDecision {
  const value = reader(environment, 'RELAY_TOKEN')
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
  if (scopes.length === 0) return refused(nothingToDo)
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
        ...times(nowMs, lifetimeSec),
      },
    },
  }
}

/** `iat` and `nbf` lie one second back, `exp` counts from them (spec session 2.3). Pure. */
export function times(nowMs: number, lifetimeSec: number): Pick<TokenClaims, 'exp' | 'nbf' | 'iat'> {
  const issuedAtSec = Math.floor(nowMs / 1000) - 1
  return { exp: issuedAtSec + lifetimeSec, nbf: issuedAtSec, iat: issuedAtSec }
}

function refused(line: string): TokenDecision {
  return { ok: false, lines: [line] }
}

function reader(environment: Environment, prefix: string): (name: string) => string {
  return (name) => environment[`${prefix}_${name}`] ?? ''
}

/** 0 for what is no whole number, which counts as not set. */
function wholeSeconds(text: string): number {
  return /^[+-]?[0-9]{1,15}$/.test(text) ? Number(text) : 0
}

/** Empty is the default; what is neither true nor false is false (spec session 2.1). */
function isTrue(text: string, byDefault: boolean): boolean {
  return text === '' ? byDefault : ['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)
}
