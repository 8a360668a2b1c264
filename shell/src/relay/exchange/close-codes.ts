/** Why the relay ends a link, as `shell/PROTOCOL.md` says it to ends of ours: close code and reason. */
export const closeCodes = {
  ended: { code: 1000, reason: 'ended' },
  stopping: { code: 1001, reason: 'relay-stopping' },
  peerLost: { code: 4000, reason: 'peer-lost' },
  expired: { code: 4001, reason: 'token-expired' },
  denied: { code: 4002, reason: 'denied' },
  retired: { code: 4003, reason: 'key-retired' },
  hostGone: { code: 4004, reason: 'host-gone' },
  hostOffline: { code: 4005, reason: 'host-offline' },
  tooSlow: { code: 4006, reason: 'too-slow' },
} as const

/** The protocol that ends of ours offer and the relay selects. */
export const tunnelProtocol = 'relay-tunnel.1'

export type CloseCause = keyof typeof closeCodes
