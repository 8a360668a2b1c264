import { createHmac } from 'node:crypto'
import { signToken } from '@relay/common/token/sign-token'

export const audience = 'https://access.example.io'
export const secret = 'a-secret-that-is-long-enough-for-tests'

/** Claims that are right for a topic; `more` replaces some, `undefined` leaves one out. */
export function claimsFor(
  topic: string,
  more: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const nowSec = Math.floor(Date.now() / 1000)
  return {
    topic,
    prefix: 'session',
    scopes: ['read', 'write'],
    aud: [audience],
    // A minute back: where a test stops the relay's clock, ours goes on meanwhile.
    iat: nowSec - 60,
    nbf: nowSec - 60,
    exp: nowSec + 600,
    ...more,
  }
}

/** Signs any claims, right or wrong, with HS256. */
export function mint(claims: Readonly<Record<string, unknown>>, withSecret = secret): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`
  return `${signed}.${createHmac('sha256', withSecret).update(signed).digest('base64url')}`
}

/** A token of an administrator. */
export async function adminToken(...scopes: readonly string[]): Promise<string> {
  const nowSec = Math.floor(Date.now() / 1000)
  const claims = { scopes, aud: [audience], exp: nowSec + 60, nbf: nowSec - 1, iat: nowSec - 1 }
  return await signToken(claims, Buffer.from(secret))
}
