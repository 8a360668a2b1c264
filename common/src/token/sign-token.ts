import { CompactSign, type CryptoKey } from 'jose'
import { ConfigError } from '../errors.ts'

/** Claims of a token in the order and spelling in which they are written (spec session 3.1 and 10.2). */
export interface TokenClaims {
  readonly booking_id?: string
  readonly topic?: string
  readonly prefix?: string
  readonly scopes: readonly string[]
  readonly aud: readonly string[]
  readonly sub?: string
  readonly exp: number
  readonly nbf: number
  readonly iat: number
}

/**
 * Signs with a shared secret (HS256) exactly as the old programs: header `{"alg":"HS256","typ":"JWT"}`.
 * @throws {ConfigError} `SECRET_EMPTY`.
 */
export async function signToken(claims: TokenClaims, secret: Uint8Array): Promise<string> {
  if (secret.length === 0) throw new ConfigError('SECRET_EMPTY', 'the secret to sign with is empty')
  return await new CompactSign(payloadOf(claims))
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(secret)
}

/** Signs with a private key of this machine; `keyId` names the public key that the relay knows. */
export async function signTokenWithKey(
  claims: TokenClaims,
  key: CryptoKey,
  { algorithm, keyId }: { readonly algorithm: 'EdDSA' | 'ES256'; readonly keyId: string },
): Promise<string> {
  return await new CompactSign(payloadOf(claims))
    .setProtectedHeader({ alg: algorithm, kid: keyId, typ: 'JWT' })
    .sign(key)
}

/** The claims in their order on the wire, whatever the order in which the caller wrote them down. */
function payloadOf({ booking_id, topic, prefix, scopes, aud, sub, exp, nbf, iat }: TokenClaims): Uint8Array {
  const ordered = { booking_id, topic, prefix, scopes, aud, sub, exp, nbf, iat }
  return new TextEncoder().encode(JSON.stringify(ordered))
}
