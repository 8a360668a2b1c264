import { createHash } from 'node:crypto'
import { parseClaims } from '../../token/claims.ts'
import type { KeyRing } from '../../token/key-ring.ts'
import { TokenError, type TokenFault } from '../../token/token-error.ts'
import { type VerifiedClaims, verifyToken } from '../../token/verify-token.ts'
import { type AccessAnswer, refuse } from './access-answer.ts'

/** `allowed`: a token may stand behind `Bearer `, as session clients send it; `refused`: as the shell servers do. */
export type BearerUse = 'allowed' | 'refused'

export interface AuthoriseOptions {
  readonly keys: KeyRing
  readonly audience: string
  readonly bearer: BearerUse
  /** What is answered to a token that is none, but for a wrong audience. */
  readonly refuseToken: (fault: TokenFault | 'bearer') => AccessAnswer
  readonly nowMs: number
}

export type Authorised =
  | {
      readonly ok: true
      readonly claims: VerifiedClaims
      readonly expiresAtSec: number
      /** Whom limits count together. */
      readonly subject: string
      /** 32 hex digits that only this very token has, and that tell nothing of it. */
      readonly fingerprint: string
    }
  | { readonly ok: false; readonly answer: AccessAnswer; readonly fault: string }

/**
 * Verifies the token of an `Authorization` header, bare or, where that is allowed, behind `Bearer ` (spec session 4).
 * Never throws for a token, however broken.
 */
export async function authorise(header: string | undefined, options: AuthoriseOptions): Promise<Authorised> {
  const given = (header ?? '').trim()
  const token = given.replace(/^bearer(?:\s+|$)/i, '')
  if (token !== given && options.bearer === 'refused')
    return { ok: false, answer: options.refuseToken('bearer'), fault: 'bearer' }
  if (token === '') return { ok: false, answer: refuse.unauthenticated(), fault: 'absent' }
  try {
    const claims = await verifyToken(token, options)
    // verifyToken promises an `exp`; the type does not.
    const expiresAtSec = claims.expiresAtSec ?? 0
    return {
      ok: true,
      claims,
      expiresAtSec,
      subject: subjectOf(claims, token),
      fingerprint: fingerprintOf(token),
    }
  } catch (error) {
    if (!(error instanceof TokenError)) throw error
    const answer =
      error.fault === 'wrong-audience'
        ? refuse.wrongAudience(audiencesOf(token), options.audience)
        : options.refuseToken(error.fault)
    return { ok: false, answer, fault: error.fault }
  }
}

/** The audiences of a token whose signature has been verified. */
function audiencesOf(token: string): readonly string[] {
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')
  return parseClaims(JSON.parse(payload)).audiences
}

function fingerprintOf(token: string): string {
  return createHash('sha256').update(token).digest('hex').slice(0, 32)
}

/** Booking, topic and user where the token has a booking; else topic and user; else the token's hash. */
function subjectOf({ bookingId, topic, subject }: VerifiedClaims, token: string): string {
  // As JSON, so that no blank in one of them makes two readings the same.
  if (bookingId !== '') return `booking ${JSON.stringify([bookingId, topic, subject])}`
  if (subject !== '') return `user ${JSON.stringify([subject, topic])}`
  return `token ${createHash('sha256').update(token).digest('base64url').slice(0, 22)}`
}
