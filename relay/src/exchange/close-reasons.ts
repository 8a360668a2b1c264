/** Why the relay ends a connection: close code (RFC 6455 7.4) and reason, as the peer reads them. */
export const closeReasons = {
  expired: { code: 1008, reason: 'token expired' },
  denied: { code: 1008, reason: 'booking cancelled' },
  retired: { code: 1008, reason: 'key retired' },
  slow: { code: 1013, reason: 'reader too slow' },
  stalled: { code: 1013, reason: 'reader stalled' },
  memory: { code: 1013, reason: 'memory is short' },
  unfinished: { code: 1008, reason: 'message not finished' },
  silent: { code: 1008, reason: 'no pong' },
  goingAway: { code: 1001, reason: 'going away' },
} as const

export type CloseCause = keyof typeof closeReasons
