import type { Cancel, Clock } from '@relay/common/clock'
import type { Log } from '@relay/common/log'

export interface DropReportDeps {
  readonly clock: Clock
  readonly log: Log
}

/** A first loss is told soon, a lasting one ever more rarely. */
const firstAfterMs = 2_000
const longestAfterMs = 600_000

/** Tells of lost messages by interval, never one by one: sooner when they begin, rarely while they go on. */
export class DropReport {
  readonly #facts: Readonly<Record<string, string>>
  readonly #deps: DropReportDeps
  #countsByReason = new Map<string, number>()
  #intervalMs = firstAfterMs
  #cancel: Cancel | undefined

  /** `facts` stand in each line, such as which uplink it is. */
  constructor(facts: Readonly<Record<string, string>>, deps: DropReportDeps) {
    this.#facts = facts
    this.#deps = deps
  }

  /** One message more was lost. */
  count(reason: string): void {
    this.#countsByReason.set(reason, (this.#countsByReason.get(reason) ?? 0) + 1)
    this.#cancel ??= this.#deps.clock.after(this.#intervalMs, () => this.#tell())
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
    if (this.#countsByReason.size > 0) this.#write()
  }

  #tell(): void {
    this.#cancel = undefined
    if (this.#countsByReason.size === 0) {
      this.#intervalMs = firstAfterMs
      return
    }
    this.#write()
    this.#intervalMs = Math.min(longestAfterMs, this.#intervalMs * 2)
    // Looks again even if nothing more is lost, to begin anew with short intervals.
    this.#cancel = this.#deps.clock.after(this.#intervalMs, () => this.#tell())
  }

  #write(): void {
    const dropped = Object.fromEntries(this.#countsByReason)
    this.#countsByReason = new Map()
    this.#deps.log.warn({ ...this.#facts, dropped }, 'messages dropped')
  }
}
