import type { PeerKind } from './pair-state.ts'

export interface ConnectFacts {
  /** Where the host is to dial; holds its code. */
  readonly uri: string
  readonly uuid: string
  readonly clientKind: PeerKind
  /** Of the client's token. */
  readonly fingerprint: string
}

/** The alert of a host (spec shell 10.4); one of ours learns who wants in. Pure. */
export function connectMessage(to: PeerKind, { uri, uuid, clientKind, fingerprint }: ConnectFacts): string {
  const forAll = { action: 'connect', uri, uuid }
  return JSON.stringify(
    to === 'tunnel' ? { ...forAll, peer: peerName(clientKind), token: fingerprint } : forAll,
  )
}

/** With the uri of the connect message old hosts end the session, with none they ignore it (spec shell 8.1, B1). Pure. */
export function disconnectMessage(uuid: string, uri: string): string {
  return JSON.stringify({ action: 'disconnect', uri, uuid })
}

/** Both links are open. Pure. */
export function pairedMessage(other: PeerKind): string {
  return JSON.stringify({ type: 'paired', peer: peerName(other) })
}

/** No host is connected. Pure. */
export function waitingMessage(lastSeenMs: number | undefined): string {
  const lastSeen = lastSeenMs === undefined ? null : new Date(lastSeenMs).toISOString()
  return JSON.stringify({ type: 'waiting', reason: 'host-offline', lastSeen })
}

export const standbyMessage = JSON.stringify({ action: 'standby' })
export const activeMessage = JSON.stringify({ action: 'active' })

function peerName(kind: PeerKind): 'tunnel' | 'plain' {
  return kind === 'tunnel' ? 'tunnel' : 'plain'
}
