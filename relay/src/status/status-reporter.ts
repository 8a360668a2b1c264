import type { Clock } from '@relay/common/clock'
import type { Generation } from '../config.ts'
import type { Connection } from '../exchange/connection.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { type ConnectionFacts, statsElement022, statsElement093, statusElement } from './connection-report.ts'

/** Reports on all connections, in the words of either generation. */
export class StatusReporter {
  readonly #exchange: Exchange
  readonly #clock: Clock
  readonly #generation: Generation
  readonly #startedMs: number
  readonly #startedMonotonicMs: number

  constructor(exchange: Exchange, { clock, generation }: { clock: Clock; generation: Generation }) {
    this.#exchange = exchange
    this.#clock = clock
    this.#generation = generation
    this.#startedMs = clock.nowMs()
    this.#startedMonotonicMs = clock.monotonicMs()
  }

  /** The array of `GET /status`. */
  status(): readonly object[] {
    return this.#facts().map(statusElement)
  }

  /** The array of the stats topic. */
  stats(): readonly object[] {
    if (this.#generation === '0.9.3') return this.#facts().map(statsElement093)
    const times = { monotonicMs: this.#clock.monotonicMs(), startedMonotonicMs: this.#startedMonotonicMs }
    return this.#facts().map((facts) => statsElement022(facts, times))
  }

  #facts(): readonly ConnectionFacts[] {
    const open = [...this.#exchange.connections].filter((connection) => connection.isOpen)
    return [this.#generator(), ...open.map(factsOf)]
  }

  /** The relay itself, which old programs list as a client of the stats topic. */
  #generator(): ConnectionFacts {
    const never = { messages: 0, bytes: 0, lastMs: -1 }
    return {
      topic: 'stats',
      canRead: true,
      canWrite: true,
      scopes: ['read', 'stats', 'write'],
      remoteAddr: 'internal',
      userAgent: 'crossbar',
      connectedAtMs: this.#startedMs,
      connectedMonotonicMs: this.#startedMonotonicMs,
      expiresAtSec: 0,
      sent: never,
      received: never,
    }
  }
}

function factsOf(connection: Connection): ConnectionFacts {
  const { permission, peer } = connection
  return {
    topic: permission.topic,
    canRead: permission.canRead,
    canWrite: permission.canWrite,
    scopes: permission.scopes,
    remoteAddr: peer.remoteAddr,
    userAgent: peer.userAgent,
    connectedAtMs: connection.connectedAtMs,
    connectedMonotonicMs: connection.connectedMonotonicMs,
    expiresAtSec: permission.expiresAtSec,
    sent: { messages: connection.sentMessages, bytes: connection.sentBytes, lastMs: connection.lastSentMs },
    received: connection.received,
  }
}
