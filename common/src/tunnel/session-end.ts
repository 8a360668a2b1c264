import { AppError } from '../errors.ts'
import type { LinkEnd } from './tunnel-link.ts'
import { closeCode } from './tunnel-protocol.ts'

/** How a session ended. */
export interface SessionEnd {
  /** Both directions ended in order: every byte was delivered. */
  readonly isClean: boolean
  /** Who ended it: this end's TCP connection, the other end, the relay, or nobody (time ran out). */
  readonly by: 'both' | 'local' | 'peer' | 'relay' | 'time'
  /** Why, where it is not clean. Stable codes. */
  readonly error: AppError | undefined
}

export const cleanEnd: SessionEnd = { isClean: true, by: 'both', error: undefined }

export function brokenEnd(by: SessionEnd['by'], code: string, message: string, cause?: unknown): SessionEnd {
  return { isClean: false, by, error: new AppError(code, message, { cause }) }
}

/** What the end of a link means for its session: over, or to be dialled again. */
export type LinkVerdict =
  | { readonly kind: 'ended' }
  | { readonly kind: 'lost' }
  | { readonly kind: 'final'; readonly code: string; readonly message: string }

/** Reads the relay's close codes (shell/PROTOCOL.md); those that are not known are those of a broken link. Pure. */
export function judgeLinkEnd({ code }: Pick<LinkEnd, 'code'>): LinkVerdict {
  switch (code) {
    case closeCode.ended:
      return { kind: 'ended' }
    case closeCode.tokenExpired:
      return { kind: 'final', code: 'TOKEN_EXPIRED', message: 'the token has expired' }
    case closeCode.denied:
      return { kind: 'final', code: 'DENIED', message: 'the booking was cancelled' }
    case closeCode.keyRetired:
      return {
        kind: 'final',
        code: 'KEY_RETIRED',
        message: 'the key that signed the token is no longer accepted; ask for a new token',
      }
    case closeCode.hostGone:
      return { kind: 'final', code: 'HOST_GONE', message: 'the host ended the session' }
    case closeCode.hostOffline:
      return { kind: 'final', code: 'HOST_OFFLINE', message: 'the host is not connected to the relay' }
    case closeCode.tooSlow:
      return {
        kind: 'final',
        code: 'TOO_SLOW',
        message: 'this end took nothing for longer than the relay waits',
      }
    default:
      return { kind: 'lost' }
  }
}
