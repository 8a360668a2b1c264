import type { Clock } from '@relay/common/clock'
import type { Log } from '@relay/common/log'
import type { Part } from './part.ts'
import { comparePlans, type PartPlan } from './part-plan.ts'

export interface PartSetDeps {
  readonly clock: Clock
  readonly log: Log
}

/** How many parts a change left alone, ended and started; one that changed is ended and started. */
export interface PartChanges {
  readonly kept: number
  readonly ended: number
  readonly started: number
}

interface RunningPart {
  readonly plan: PartPlan
  readonly part: Part
  readonly controller: AbortController
  readonly ended: Promise<void>
}

/** A part that does not end must not keep the others, and the service manager, waiting. */
const endWithinMs = 3_500

/**
 * Owner of all parts that run.
 *
 * Invariants: a part that fails takes no other with it; one whose plan did not change is not touched; of one key there
 * is one part, and it has ended (or had its time to) before its successor starts; after `close` nothing is started.
 */
export class PartSet {
  readonly #deps: PartSetDeps
  #running: ReadonlyMap<string, RunningPart> = new Map()
  /** Parts that should have ended: they may still hold their device, and are looked at until they have. */
  readonly #late = new Map<Part, Promise<void>>()
  #isClosed = false

  constructor(deps: PartSetDeps) {
    this.#deps = deps
  }

  /** In the order of the plans, and behind them those that have not ended in time. */
  get parts(): readonly Part[] {
    return [...[...this.#running.values()].map(({ part }) => part), ...this.#late.keys()]
  }

  /**
   * Makes what runs be what is planned. Not to be called again before it has resolved.
   * @throws what making a part throws; everything runs on as it did then.
   */
  async apply(plans: readonly PartPlan[]): Promise<PartChanges> {
    const running = [...this.#running.values()].map(({ plan }) => plan)
    const { kept, ended, started } = comparePlans(running, plans)
    const made = new Map(started.map((plan) => [plan.key, plan.make()]))
    await this.#untilEnded(this.#end(ended.map(({ key }) => key)))
    if (!this.#isClosed) {
      const entries = plans.map((plan): readonly [string, RunningPart | undefined] => {
        const part = made.get(plan.key)
        return [plan.key, part === undefined ? this.#running.get(plan.key) : this.#start(plan, part)]
      })
      this.#running = new Map(entries.flatMap(([key, entry]) => (entry === undefined ? [] : [[key, entry]])))
    }
    return { kept: kept.length, ended: ended.length, started: started.length }
  }

  /** Ends every part; resolves when all have ended, those that a change is just ending among them, or after a grace. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#end([...this.#running.keys()])
    await this.#untilEnded([...this.#late.keys()])
  }

  #start(plan: PartPlan, part: Part): RunningPart {
    const controller = new AbortController()
    return { plan, part, controller, ended: this.#run(part, controller.signal) }
  }

  /** A bug in one part is logged and ends that part alone. */
  async #run(part: Part, signal: AbortSignal): Promise<void> {
    try {
      await part.run(signal)
      if (!signal.aborted) this.#deps.log.error({ part: part.name }, 'a part of the agent ended by itself')
    } catch (error) {
      this.#deps.log.error({ part: part.name, error }, 'a part of the agent ended by a fault')
    } finally {
      this.#late.delete(part)
    }
  }

  /** Tells parts to end, and gives them. */
  #end(keys: readonly string[]): readonly Part[] {
    const ending = keys.flatMap((key) => this.#running.get(key) ?? [])
    for (const { part, controller, ended } of ending) {
      this.#late.set(part, ended)
      controller.abort()
    }
    this.#running = new Map([...this.#running].filter(([key]) => !keys.includes(key)))
    return ending.map(({ part }) => part)
  }

  async #untilEnded(parts: readonly Part[]): Promise<void> {
    if (parts.length === 0) return
    const waiting = new AbortController()
    await Promise.race([
      Promise.all(parts.flatMap((part) => this.#late.get(part) ?? [])),
      this.#deps.clock.sleep(endWithinMs, waiting.signal),
    ])
    waiting.abort()
    for (const part of parts)
      if (this.#late.has(part))
        this.#deps.log.error(
          { part: part.name, afterMs: endWithinMs },
          'a part of the agent did not end in time',
        )
  }
}
