import { CompactSign, type CryptoKey } from 'jose'

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

/** Signs with a shared secret (HS256) exactly as the old programs: header `{"alg":"HS256","typ":"JWT"}`. */
export async function signToken(claims: TokenClaims, secret: Uint8Array): Promise<string> {
  return await new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(secret)
}

/** Signs with a private key of this machine; `keyId` names the public key that the relay knows. */
export async function signTokenWithKey(
  claims: TokenClaims,
  key: CryptoKey,
  { algorithm, keyId }: { readonly algorithm: 'EdDSA' | 'ES256'; readonly keyId: string },
): Promise<string> {
  return await new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
    .setProtectedHeader({ alg: algorithm, kid: keyId, typ: 'JWT' })
    .sign(key)
}
