import { AppError, errorCode } from '@relay/common/errors'
import { AccessRefusedError } from '@relay/common/exchange-token'
import { judgeLinkEnd } from '@relay/common/tunnel/session-end'
import type { LinkEnd } from '@relay/common/tunnel/tunnel-link'

/** Exit codes of `shell connect` beyond the common ones; they do not change. */
export const clientExit = {
  /** The host is not connected to the relay, or says nothing. */
  hostOffline: 20,
  /** The token has expired or is refused, or the booking was cancelled. */
  tokenRefused: 21,
  /** The relay, its access API or a proxy on the way cannot be reached. */
  relayUnreachable: 22,
  /** The host cannot reach its sshd, or takes no more sessions. */
  hostRefused: 23,
  /** The session broke and could not be resumed. */
  sessionLost: 24,
} as const

const exitByCode: Readonly<Record<string, number>> = {
  HOST_OFFLINE: clientExit.hostOffline,
  HOST_SILENT: clientExit.hostOffline,
  ACCESS_REFUSED: clientExit.tokenRefused,
  TOKEN_EXPIRED: clientExit.tokenRefused,
  DENIED: clientExit.tokenRefused,
  KEY_RETIRED: clientExit.tokenRefused,
  TOKEN_CHANGED: clientExit.tokenRefused,
  TOKEN_KIND_WRONG: clientExit.tokenRefused,
  ACCESS_UNREACHABLE: clientExit.relayUnreachable,
  ACCESS_BAD_ANSWER: clientExit.relayUnreachable,
  RELAY_UNREACHABLE: clientExit.relayUnreachable,
  RELAY_REFUSED: clientExit.relayUnreachable,
  RETRY_LATER: clientExit.relayUnreachable,
  SSHD_UNREACHABLE: clientExit.hostRefused,
  TOO_MANY_SESSIONS: clientExit.hostRefused,
  BAD_REQUEST: clientExit.hostRefused,
}

/** The exit code of a session that ended with this error: one of `clientExit`. Pure. */
export function clientExitOf(error: unknown): number {
  return exitByCode[errorCode(error) ?? ''] ?? clientExit.sessionLost
}

/** Trying again, for as long as there is time, may help. Pure. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof AppError) || error.permanent || error instanceof AccessRefusedError) return false
  return ![
    'TOKEN_EXPIRED',
    'DENIED',
    'KEY_RETIRED',
    'TOKEN_CHANGED',
    'TOKEN_KIND_WRONG',
    'SSHD_UNREACHABLE',
    'SESSION_UNKNOWN',
    'BAD_REQUEST',
    'HOST_TOO_OLD',
    'ABORTED',
  ].includes(error.code)
}

/** What a link that ended before a session was open on it means. */
export function earlyEnd(end: LinkEnd): AppError {
  const verdict = judgeLinkEnd(end)
  if (verdict.kind === 'final') return new AppError(verdict.code, verdict.message)
  return new AppError(
    'RELAY_UNREACHABLE',
    `the relay ended the connection before the session began (${end.code})`,
  )
}

/** Says of a refused token what the token itself says of its end: more than old relays do. */
export function explainRefusal(error: unknown, expiresAtMs: number | undefined, nowMs: number): unknown {
  if (!(error instanceof AccessRefusedError) || expiresAtMs === undefined || expiresAtMs > nowMs) return error
  const at = new Date(expiresAtMs).toISOString().replace('.000Z', 'Z')
  return new AppError('TOKEN_EXPIRED', `the token expired at ${at}; ask for a new one`, { cause: undefined })
}
