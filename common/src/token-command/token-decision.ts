import type { TokenClaims } from '../token/sign-token.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** What a token is to say, and the secret to sign it with. */
export interface TokenRequest {
  readonly claims: TokenClaims
  readonly secret: string
}

/** What the variables of an old token command ask for; else lines for stdout and exit code 1, as it gives them. */
export type TokenDecision =
  | { readonly ok: true; readonly request: TokenRequest }
  | { readonly ok: false; readonly lines: readonly string[] }

/** `iat` and `nbf` lie one second back, `exp` counts from them (spec session 2.3). Pure. */
export function tokenTimes(nowMs: number, lifetimeSec: number): Pick<TokenClaims, 'exp' | 'nbf' | 'iat'> {
  const issuedAtSec = Math.floor(nowMs / 1000) - 1
  return { exp: issuedAtSec + lifetimeSec, nbf: issuedAtSec, iat: issuedAtSec }
}

/** The one line that says why there is no token. */
export function noToken(line: string): TokenDecision {
  return { ok: false, lines: [line] }
}

/** Reads variables that begin with `prefix` and `_`; '' for what is not set. */
export function variableReader(environment: Environment, prefix: string): (name: string) => string {
  return (name) => environment[`${prefix}_${name}`] ?? ''
}
