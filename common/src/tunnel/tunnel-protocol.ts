/**
 * Numbers and names of `relay-tunnel.1` (shell/PROTOCOL.md), which shell relay, shell host and shell client share.
 */
export const TUNNEL_PROTOCOL = 'relay-tunnel.1'

/** Longest control message, in bytes. */
export const MAX_CONTROL_BYTES = 16_384

/** Longest binary message towards an end or a relay that is not known to be ours. */
export const MAX_PLAIN_MESSAGE_BYTES = 65_535

/** What one end of ours sends at most in a binary message: all that one read of a socket gives. */
export const MAX_MESSAGE_BYTES = 65_536

/** What an end takes in one message: more than any old program sends (specification 5.4). */
export const MAX_ACCEPTED_MESSAGE_BYTES = 10_485_760

/** What an end may have unacknowledged, where the other says nothing else. */
export const WINDOW_BYTES = 4_194_304

/** An acknowledgement is sent after so many bytes, or after `ACK_AFTER_MS`. */
export const ACK_AFTER_BYTES = 262_144
export const ACK_AFTER_MS = 50

/** A session without a link for so long is given up. */
export const RESUME_WITHIN_MS = 120_000

/** A host keeps a finished session for so long, should its last acknowledgement be lost. */
export const KEEP_FINISHED_MS = 30_000

/** The relay's close codes on links of ours. */
export const closeCode = {
  ended: 1000,
  relayStopping: 1001,
  peerLost: 4000,
  tokenExpired: 4001,
  denied: 4002,
  keyRetired: 4003,
  hostGone: 4004,
  hostOffline: 4005,
  tooSlow: 4006,
  superseded: 4007,
} as const
