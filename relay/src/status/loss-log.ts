import type { Log } from '@relay/common/log'
import type { Exchange } from '../exchange/exchange.ts'

const causes = ['slow', 'stalled', 'memory', 'unfinished', 'silent'] as const

/** Says in the log what viewers lost since the last time: one line however much it was, none where it was nothing. */
export class LossLog {
  readonly #exchange: Pick<Exchange, 'totals' | 'closed'>
  readonly #log: Log
  #before: Readonly<Record<string, number>>

  constructor(exchange: Pick<Exchange, 'totals' | 'closed'>, log: Log) {
    this.#exchange = exchange
    this.#log = log
    this.#before = this.#now()
  }

  /** To be called every now and then. */
  report(): void {
    const now = this.#now()
    const lost = Object.entries(now)
      .map(([name, count]) => [name, count - (this.#before[name] ?? 0)] as const)
      .filter(([, count]) => count > 0)
    this.#before = now
    if (lost.length > 0)
      this.#log.warn(Object.fromEntries(lost), 'slow viewers lost messages or were cut off')
  }

  #now(): Readonly<Record<string, number>> {
    const { totals, closed } = this.#exchange
    const cut = causes.map((cause) => [`closed_${cause}`, closed[cause]] as const)
    return { droppedMessages: totals.droppedMessages.slow, ...Object.fromEntries(cut) }
  }
}
