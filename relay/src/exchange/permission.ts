import type { Claims } from '@relay/common/token/claims'

/** What a one-time code stands for (spec session 5): who may do what on which topic, and until when. */
export interface Permission {
  readonly topic: string
  readonly scopes: readonly string[]
  readonly canRead: boolean
  readonly canWrite: boolean
  /** '' where the token names no booking. */
  readonly bookingId: string
  /** Whom limits count together: the same booking, topic and user, or the same token. Never a token itself. */
  readonly subject: string
  /** Public key that signed the token; undefined for a shared secret. */
  readonly keyId: string | undefined
  readonly notBeforeSec: number | undefined
  readonly expiresAtSec: number
}

/** The permission that verified claims give; scopes are exact and case-sensitive (spec session 3.3). Pure. */
export function permissionOf(
  claims: Claims,
  { subject, keyId, expiresAtSec }: Pick<Permission, 'subject' | 'keyId' | 'expiresAtSec'>,
): Permission {
  return {
    topic: claims.topic,
    scopes: claims.scopes,
    canRead: claims.scopes.includes('read'),
    canWrite: claims.scopes.includes('write'),
    bookingId: claims.bookingId,
    subject,
    keyId,
    notBeforeSec: claims.notBeforeSec,
    expiresAtSec,
  }
}

/** Whether a permission may be used at this moment: whole seconds, `exp` itself is over (spec session 3.2). Pure. */
export function isCurrent(permission: Permission, nowMs: number): boolean {
  const nowSec = Math.floor(nowMs / 1000)
  return (permission.notBeforeSec ?? nowSec) <= nowSec && nowMs < permission.expiresAtSec * 1000
}
