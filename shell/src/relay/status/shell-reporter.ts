import type { Clock } from '@relay/common/clock'
import type { StatsReporter } from '@relay/common/server/stats/stats-topic'
import type { Exchange } from '../exchange/exchange.ts'
import type { Link } from '../exchange/link.ts'
import { generatorElement, type LinkFacts, linkElement } from './link-report.ts'

/** Reports on all open links, for the topic `stats`. */
export class ShellReporter implements StatsReporter {
  readonly #exchange: Exchange
  readonly #clock: Clock
  readonly #startedAtMs: number

  constructor(exchange: Exchange, clock: Clock) {
    this.#exchange = exchange
    this.#clock = clock
    this.#startedAtMs = clock.nowMs()
  }

  stats(): readonly object[] {
    const nowMs = this.#clock.monotonicMs()
    const open = [...this.#exchange.links].filter(({ isOpen }) => isOpen)
    return [
      generatorElement(this.#startedAtMs),
      ...open.map((link) => linkElement(this.#factsOf(link), nowMs)),
    ]
  }

  #factsOf(link: Link): LinkFacts {
    const { permission, peer, outbox } = link
    const isOfPair = permission.role === 'client' || permission.role === 'host'
    const pair = isOfPair ? this.#exchange.pairs.get(permission.connectionId) : undefined
    return {
      topic: permission.path,
      id: permission.id,
      role: permission.role,
      kind: link.kind,
      session: pair?.phase,
      scopes: permission.scopes,
      remoteAddr: peer.remoteAddr,
      userAgent: peer.userAgent,
      connectedAtMs: link.connectedAtMs,
      joinedMs: link.joinedMs,
      expiresAtSec: permission.expiresAtSec,
      sent: link,
      received: outbox,
    }
  }
}
