import { goDuration, rfc3339 } from '@relay/common/server/stats/go-time'
import type { PeerKind } from '../exchange/pair-state.ts'
import type { Role } from '../exchange/permission.ts'

/** Messages one way. */
export interface Traffic {
  readonly messages: number
  readonly bytes: number
  /** Monotonic; -1 for never. */
  readonly lastMs: number
}

/** What a report says about one link; times as they are, not yet as text. */
export interface LinkFacts {
  /** `<id>`, `<id>/<connection id>` or `stats`. */
  readonly topic: string
  readonly id: string
  readonly role: Role
  readonly kind: PeerKind
  /** Of a pair, where it stands; undefined for other links. */
  readonly session: string | undefined
  /** As the token says them. */
  readonly scopes: readonly string[]
  readonly remoteAddr: string
  readonly userAgent: string
  readonly connectedAtMs: number
  /** Monotonic, as all times below. */
  readonly joinedMs: number
  readonly expiresAtSec: number
  /** From the link. */
  readonly sent: Traffic
  /** To the link. */
  readonly received: Traffic
}

/** Go's longest duration, which the successor shows for a link that never sent. */
const goForever = '2562047h47m16.854775807s'

/**
 * One element of a report on the topic `stats`: the keys of v0.2.2 (spec shell 5.3) and of its successor and of that
 * one's status client (9.2), with times of RFC 3339, and ours for `shell status`: `role`, `peer`, `session`, `bytesFrom`,
 * `bytesTo`. `topic` names the connection without the old programs' secret salt. Pure.
 */
export function linkElement(facts: LinkFacts, nowMs: number): object {
  const connected = rfc3339(facts.connectedAtMs / 1000)
  const expires = rfc3339(facts.expiresAtSec)
  const scopes = [...new Set([...facts.scopes, 'read', 'write'])]
  return {
    topic: facts.topic,
    canRead: true,
    canWrite: true,
    connected,
    expiresAt: expires,
    remoteAddr: facts.remoteAddr,
    userAgent: facts.userAgent,
    scopes,
    stats: { tx: trafficElement(facts.sent, facts, nowMs), rx: trafficElement(facts.received, facts, nowMs) },
    can_read: true,
    can_write: true,
    connected_at: connected,
    expires_at: expires,
    remote_address: facts.remoteAddr,
    user_agent: facts.userAgent,
    statistcs: { last: facts.sent.messages === 0 ? goForever : goDuration(nowMs - facts.sent.lastMs) },
    id: facts.id,
    role: facts.role,
    peer: facts.kind,
    ...(facts.session === undefined ? {} : { session: facts.session }),
    bytesFrom: facts.sent.bytes,
    bytesTo: facts.received.bytes,
  }
}

/** The relay itself, which the old programs list as a member of the topic. Pure. */
export function generatorElement(startedAtMs: number): object {
  const never = { last: 'Never', size: 0, fps: 0 }
  const connected = rfc3339(startedAtMs / 1000)
  return {
    topic: 'stats',
    canRead: true,
    canWrite: true,
    connected,
    expiresAt: '0001-01-01T00:00:00Z',
    remoteAddr: 'internal',
    userAgent: 'shellbar',
    scopes: null,
    stats: { tx: never, rx: never },
    can_read: true,
    can_write: true,
    connected_at: connected,
    expires_at: '0001-01-01T00:00:00Z',
    remote_address: 'internal',
    user_agent: 'internal',
    statistcs: { last: goForever },
  }
}

/** `tx` and `rx` of v0.2.2: mean size and rate over the whole life; a rate that JSON cannot say is 0. */
function trafficElement(traffic: Traffic, { joinedMs }: LinkFacts, nowMs: number): object {
  if (traffic.messages === 0) return { last: 'Never', size: 0, fps: 0 }
  const activeSec = (traffic.lastMs - joinedMs) / 1000
  return {
    last: goDuration(nowMs - traffic.lastMs),
    size: Math.round(traffic.bytes / traffic.messages),
    fps: activeSec > 0 ? traffic.messages / activeSec : 0,
  }
}
