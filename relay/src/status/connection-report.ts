import { goDuration, goTime, rfc3339 } from '@relay/common/server/stats/go-time'

/** What a report says about one connection; times as they are, not yet as text. */
export interface ConnectionFacts {
  readonly topic: string
  readonly canRead: boolean
  readonly canWrite: boolean
  readonly scopes: readonly string[]
  readonly remoteAddr: string
  readonly userAgent: string
  readonly connectedAtMs: number
  /** Monotonic, as all times below. */
  readonly connectedMonotonicMs: number
  readonly expiresAtSec: number
  readonly sent: Traffic
  readonly received: Traffic
}

export interface Traffic {
  readonly messages: number
  readonly bytes: number
  /** Monotonic; -1 for never. */
  readonly lastMs: number
}

/** The times of a report: the monotonic clock now, and when the program started. */
export interface ReportTimes {
  readonly monotonicMs: number
  readonly startedMonotonicMs: number
}

/** An element of the stats topic as v0.2.2 writes it (spec session 6.8). Pure. */
export function statsElement022(facts: ConnectionFacts, times: ReportTimes): object {
  return {
    topic: facts.topic,
    canRead: facts.canRead,
    canWrite: facts.canWrite,
    connected: goTime(facts.connectedAtMs, facts.connectedMonotonicMs - times.startedMonotonicMs),
    remoteAddr: facts.remoteAddr,
    userAgent: facts.userAgent,
    stats: {
      tx: trafficElement(facts.sent, facts, times),
      rx: trafficElement(facts.received, facts, times),
    },
  }
}

function trafficElement(traffic: Traffic, facts: ConnectionFacts, times: ReportTimes): object {
  if (traffic.messages === 0) return { last: 'Never', size: 0, fps: 0 }
  const activeSec = (traffic.lastMs - facts.connectedMonotonicMs) / 1000
  return {
    last: goDuration(times.monotonicMs - traffic.lastMs),
    size: Math.round(traffic.bytes / traffic.messages),
    fps: activeSec > 0 ? traffic.messages / activeSec : 0,
  }
}

/** An element of the stats topic as 0.9.3 writes it (spec session 10.5). Pure. */
export function statsElement093(facts: ConnectionFacts): object {
  return {
    canRead: facts.canRead,
    canWrite: facts.canWrite,
    connected: rfc3339(facts.connectedAtMs / 1000),
    expiresAt: rfc3339(facts.expiresAtSec),
    remoteAddr: facts.remoteAddr,
    scopes: facts.scopes,
    topic: facts.topic,
    userAgent: facts.userAgent,
  }
}

/** An element of `GET /status` (spec session 10.4): false and empty keys are left out. Pure. */
export function statusElement(facts: ConnectionFacts): object {
  const expiresAt = rfc3339(facts.expiresAtSec)
  return {
    ...(facts.canRead ? { can_read: true } : {}),
    ...(facts.canWrite ? { can_write: true } : {}),
    connected_at: rfc3339(facts.connectedAtMs / 1000),
    ...(expiresAt === '' ? {} : { expires_at: expiresAt }),
    ...(facts.remoteAddr === '' ? {} : { remote_addr: facts.remoteAddr }),
    scopes: facts.scopes,
    topic: facts.topic,
    ...(facts.userAgent === '' ? {} : { user_agent: facts.userAgent }),
  }
}
