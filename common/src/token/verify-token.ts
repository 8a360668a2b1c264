import { type CompactVerifyResult, type CryptoKey, compactVerify, decodeProtectedHeader, errors } from 'jose'
import { type Claims, parseClaims } from './claims.ts'
import { policyBreach } from './key-policy.ts'
import type { KeyRing } from './key-ring.ts'
import { TokenError } from './token-error.ts'

export interface VerifyTokenOptions {
  readonly keys: KeyRing
  readonly nowMs: number
  /** Must be equal, byte for byte, to one element of `aud`. */
  readonly audience: string
}

export interface VerifiedClaims extends Claims {
  /** Id of the public key that signed it; undefined for a shared secret. */
  readonly keyId: string | undefined
}

/** Longer ones are refused unread: a real token has some hundred bytes. */
const maxTokenLength = 16_384
const hmacAlgorithms = ['HS256', 'HS384', 'HS512']

/**
 * Verifies a compact JWS and gives its claims (spec session 3.2): HS256/384/512 by any valid secret, EdDSA and ES256
 * by `kid` within the policy of that key; no leeway; `exp` is wanted.
 * @throws {TokenError} naming the first fault found: form, algorithm, key, signature, claims, times, audience, policy.
 */
export async function verifyToken(token: string, options: VerifyTokenOptions): Promise<VerifiedClaims> {
  if (token.length > maxTokenLength) throw new TokenError('malformed', 'it is too long')
  const { payload, policy, keyId } = await verifySignature(token, options.keys)
  const claims = parseClaims(parsePayload(payload))
  checkTimes(claims, options.nowMs / 1000)
  if (!claims.audiences.includes(options.audience)) {
    throw new TokenError('wrong-audience', `its audience is not this host, ${options.audience}`)
  }
  if (policy !== undefined) {
    const breach = policyBreach(claims, policy, Math.floor(options.nowMs / 1000))
    if (breach !== undefined) throw new TokenError('beyond-policy', breach)
  }
  return { ...claims, keyId }
}

/** @throws {TokenError} `TOKEN_EXPIRED`, `TOKEN_NOT_YET_VALID`, or `TOKEN_INCOMPLETE` where there is no `exp`. */
function checkTimes(claims: Claims, nowSec: number): void {
  if (claims.expiresAtSec === undefined) throw new TokenError('incomplete', 'it has no "exp"')
  if (nowSec >= claims.expiresAtSec) throw new TokenError('expired', 'it has expired')
  if (claims.notBeforeSec !== undefined && nowSec < claims.notBeforeSec) {
    throw new TokenError('not-yet-valid', 'it is not valid yet ("nbf")')
  }
  if (claims.issuedAtSec !== undefined && nowSec < claims.issuedAtSec) {
    throw new TokenError('not-yet-valid', 'it was issued in the future ("iat"); compare the clocks')
  }
}

async function verifySignature(token: string, keys: KeyRing) {
  const { alg, kid } = readHeader(token)
  if (hmacAlgorithms.includes(alg)) {
    for (const secret of keys.secrets) {
      if (secret.length === 0) continue
      const verified = await tryVerify(token, secret, hmacAlgorithms)
      if (verified !== undefined) return { payload: verified.payload, policy: undefined, keyId: undefined }
    }
    throw new TokenError('bad-signature', 'its signature does not fit')
  }
  if (alg !== 'EdDSA' && alg !== 'ES256')
    throw new TokenError('bad-algorithm', 'its algorithm is not allowed')
  const publicKey = keys.publicKeys.get(kid)
  if (publicKey === undefined) throw new TokenError('unknown-key', 'its key id ("kid") is not known here')
  if (publicKey.algorithm !== alg)
    throw new TokenError('bad-algorithm', 'its algorithm is not the one of its key')
  const verified = await tryVerify(token, publicKey.key, [alg])
  if (verified === undefined) throw new TokenError('bad-signature', 'its signature does not fit')
  return { payload: verified.payload, policy: publicKey.policy, keyId: publicKey.keyId }
}

/** Only these characters: no padding, no blanks, not the ones of plain base64. */
const threeParts = /^[\w-]+\.[\w-]*\.[\w-]*$/

function readHeader(token: string): { readonly alg: string; readonly kid: string } {
  if (token.split('.', 4).length !== 3) throw new TokenError('malformed', 'it has not three parts')
  if (!threeParts.test(token)) throw new TokenError('malformed', 'it holds a character that is not base64url')
  const signature = token.slice(token.lastIndexOf('.') + 1)
  // The last character of a signature has bits that mean nothing: one token would have several spellings.
  if (Buffer.from(signature, 'base64url').toString('base64url') !== signature) {
    throw new TokenError('malformed', 'its signature is not base64url in the one right form')
  }
  try {
    const { alg, kid } = decodeProtectedHeader(token)
    return { alg: alg ?? '', kid: kid ?? '' }
  } catch {
    // Without the cause: the messages of a parser quote what they read.
    throw new TokenError('malformed', 'its header cannot be read')
  }
}

async function tryVerify(
  token: string,
  key: Uint8Array | CryptoKey,
  algorithms: string[],
): Promise<CompactVerifyResult | undefined> {
  try {
    return await compactVerify(token, key, { algorithms })
  } catch (cause) {
    if (cause instanceof errors.JWSSignatureVerificationFailed) return undefined
    // Messages of the library quote parts of the header; those of the cryptography below it do not.
    throw new TokenError(
      'malformed',
      'it is not a valid JWS',
      cause instanceof errors.JOSEError ? undefined : { cause },
    )
  }
}

function parsePayload(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload))
  } catch {
    throw new TokenError('malformed', 'its payload is not JSON')
  }
}
