import type { Clock } from '@relay/common/clock'
import type { Log } from '@relay/common/log'
import type { Notifier } from 'node-systemd-notify'
import type { AgentConfig } from './config.ts'
import { type Fault, faultOf } from '@relay/common/fault'
import type { PartChanges } from './part-set.ts'
import type { ReadConfig } from './read-config.ts'

export interface ReloadDeps {
  /** Reads and checks the configuration anew. */
  readonly read: () => Promise<ReadConfig>
  /** Makes the agent be as the configuration says. */
  readonly apply: (config: AgentConfig) => Promise<PartChanges>
  /** The status line of that moment. */
  readonly statusLine: () => string
  /** The agent ends: what becomes of a reload is nobody's concern any more. */
  readonly isOver: () => boolean
  readonly notifier: Pick<Notifier, 'reloading' | 'ready'>
  readonly clock: Clock
  readonly log: Log
}

/**
 * Carries out orders to read the configuration anew.
 *
 * Invariants: one at a time; an order that comes meanwhile is carried out once more afterwards, so that the newest file
 * wins; a configuration that is wrong, or that cannot be carried out, leaves everything as it was.
 */
export class ReloadDesk {
  readonly #deps: ReloadDeps
  #reloading: Promise<void> | undefined
  #isOrderedAgain = false
  #fault: Fault | undefined

  constructor(deps: ReloadDeps) {
    this.#deps = deps
  }

  /** Why the last configuration does not hold; undefined where it does. */
  get fault(): Fault | undefined {
    return this.#fault
  }

  /** Resolves when nothing is left to reload. Never rejects. */
  order(): Promise<void> {
    if (this.#reloading === undefined) {
      this.#reloading = this.#reloadUntilNoneIsOrdered()
    } else {
      this.#isOrderedAgain = true
    }
    return this.#reloading
  }

  async #reloadUntilNoneIsOrdered(): Promise<void> {
    const { notifier, statusLine, isOver } = this.#deps
    notifier.reloading()
    do {
      this.#isOrderedAgain = false
      await this.#reloadOnce()
    } while (this.#hasNewOrder() && !isOver())
    this.#reloading = undefined
    if (!isOver()) notifier.ready(statusLine())
  }

  /** A call, so that the type checker knows that the answer changes during an `await`. */
  #hasNewOrder(): boolean {
    return this.#isOrderedAgain
  }

  async #reloadOnce(): Promise<void> {
    const { read, apply, isOver, clock, log } = this.#deps
    try {
      const { config, warnings } = await read()
      if (isOver()) return
      for (const { where, what } of warnings) log.warn({ where, what }, 'the new configuration needs a look')
      const changes = await apply(config)
      this.#fault = undefined
      log.info({ ...changes }, 'the configuration was read anew')
    } catch (error) {
      if (isOver()) return
      this.#fault = faultOf(error, clock.nowMs())
      log.error({ error }, 'the new configuration does not hold, everything runs on as before')
    }
  }
}
