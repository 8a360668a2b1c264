import { createHash } from 'node:crypto'
import { parseClaims } from '@relay/common/token/claims'
import type { KeyRing } from '@relay/common/token/key-ring'
import { TokenError } from '@relay/common/token/token-error'
import { type VerifiedClaims, verifyToken } from '@relay/common/token/verify-token'
import { type AccessAnswer, refuse } from './access-answer.ts'

export interface AuthoriseOptions {
  readonly keys: KeyRing
  readonly audience: string
  readonly nowMs: number
}

export type Authorised =
  | {
      readonly ok: true
      readonly claims: VerifiedClaims
      readonly expiresAtSec: number
      /** Whom limits count together. */
      readonly subject: string
    }
  | { readonly ok: false; readonly answer: AccessAnswer; readonly fault: string }

/**
 * Verifies the token of an `Authorization` header, bare or behind `Bearer ` (spec session 4). Never throws for a token,
 * however broken.
 */
export async function authorise(header: string | undefined, options: AuthoriseOptions): Promise<Authorised> {
  const token = (header ?? '').trim().replace(/^bearer(?:\s+|$)/i, '')
  if (token === '') return { ok: false, answer: refuse.unauthenticated(), fault: 'absent' }
  try {
    const claims = await verifyToken(token, options)
    // verifyToken promises an `exp`; the type does not.
    const expiresAtSec = claims.expiresAtSec ?? 0
    return { ok: true, claims, expiresAtSec, subject: subjectOf(claims, token) }
  } catch (error) {
    if (!(error instanceof TokenError)) throw error
    const answer =
      error.fault === 'wrong-audience'
        ? refuse.wrongAudience(audiencesOf(token), options.audience)
        : refuse.tokenInvalid()
    return { ok: false, answer, fault: error.fault }
  }
}

/** The audiences of a token whose signature has been verified. */
function audiencesOf(token: string): readonly string[] {
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')
  return parseClaims(JSON.parse(payload)).audiences
}

/** Booking, topic and user where the token has a booking; else topic and user; else the token's hash. */
function subjectOf({ bookingId, topic, subject }: VerifiedClaims, token: string): string {
  // As JSON, so that no blank in one of them makes two readings the same.
  if (bookingId !== '') return `booking ${JSON.stringify([bookingId, topic, subject])}`
  if (subject !== '') return `user ${JSON.stringify([subject, topic])}`
  return `token ${createHash('sha256').update(token).digest('base64url').slice(0, 22)}`
}
