import { systemClock } from '@relay/common/clock'
import { AppError, describeError } from '@relay/common/errors'
import { failureText, type FaultRecord, nameOf, streamsOf } from './fault-record.ts'
import { faultRules, type StreamName, streamNames } from './fault-kinds.ts'
import type { PlannedFault, PlanStep } from './fault-plan.ts'
import { type Healed, inflictFault } from './inflict-fault.ts'
import { machineMs } from './machine-ms.ts'
import type { SoakSystem } from './soak-system.ts'
import type { SoakViewers } from './soak-viewers.ts'

const firstMessagesWithinMs = 120_000
/** After the last fault, so that what it broke has shown itself. */
const settleMs = 5_000

export interface SoakRunOptions {
  readonly forMs: number
  readonly plan: Iterable<PlanStep>
  /** For what a fault does, beside the plan. */
  readonly random: () => number
  /** A line for people. */
  readonly tell: (line: string) => void
}

/** Carries out a plan of faults on a running system and keeps what became of each. */
export class SoakRun {
  readonly records: FaultRecord[] = []
  readonly #system: SoakSystem
  readonly #viewers: SoakViewers
  readonly #options: SoakRunOptions
  #doing = 'starting'
  #brokenBy: string | undefined

  constructor(system: SoakSystem, viewers: SoakViewers, options: SoakRunOptions) {
    this.#system = system
    this.#viewers = viewers
    this.#options = options
  }

  /** What goes on at the moment: "calm" or the fault. */
  get doing(): string {
    return this.#doing
  }

  /** Why the run ended before its time; undefined where it did not. */
  get brokenBy(): string | undefined {
    return this.#brokenBy
  }

  /**
   * Until the time is over and the last fault has been recovered from, until `signal` aborts, or until the agent ends.
   * @throws {AppError} `SOAK_NOT_STARTED` where nothing came to the viewers in the beginning.
   */
  async run(signal: AbortSignal): Promise<void> {
    const broken = new AbortController()
    const stopped = AbortSignal.any([signal, broken.signal])
    void this.#system.agent.ended().then((how) => {
      if (stopped.aborted) return
      this.#brokenBy = how
      broken.abort()
    })
    await this.#untilAllFlow(stopped)
    const over = AbortSignal.any([stopped, AbortSignal.timeout(this.#options.forMs)])
    for (const step of this.#options.plan) {
      this.#doing = 'calm'
      await systemClock.sleep(step.pauseMs, over)
      if (over.aborted) break
      await this.#carryOut(step, { over, stopped })
    }
    this.#doing = 'calm'
    if (!stopped.aborted) await systemClock.sleep(settleMs, stopped)
  }

  async #untilAllFlow(stopped: AbortSignal): Promise<void> {
    const late = AbortSignal.any([stopped, AbortSignal.timeout(firstMessagesWithinMs)])
    const first = await Promise.all(streamNames.map((name) => this.#viewers.watches[name].back(0, late)))
    const silent = streamNames.filter((_, index) => first[index] === undefined)
    if (silent.length > 0 && !stopped.aborted)
      throw new AppError('SOAK_NOT_STARTED', `nothing came to the viewers of ${silent.join(', ')}`)
  }

  async #carryOut(
    { faults }: PlanStep,
    { over, stopped }: { readonly over: AbortSignal; readonly stopped: AbortSignal },
  ): Promise<void> {
    const number = this.records.length + 1
    this.#doing = nameOf(faults)
    const startedAtMs = machineMs()
    const { healed, error } = await this.#inflict(faults, over)
    const recoverWithinMs = Math.max(...faults.map(({ kind }) => faultRules[kind].recoverWithinMs))
    const late = AbortSignal.any([stopped, AbortSignal.timeout(recoverWithinMs)])
    const streams = streamsOf(faults)
    const back = await Promise.all(
      streams.map(async (name): Promise<[StreamName, number | undefined]> => {
        return [name, await this.#viewers.watches[name].back(healed.provenAfterMs, late)]
      }),
    )
    const isBack = back.every(([, atMs]) => atMs !== undefined)
    const isWell = isBack && error === undefined
    const outcome = isWell ? 'recovered' : stopped.aborted ? 'unfinished' : 'failed'
    const record: FaultRecord = {
      number,
      faults,
      startedAtMs,
      healedAtMs: healed.healedAtMs,
      backAtMs: Object.fromEntries(back.filter(([, atMs]) => atMs !== undefined)),
      endedAtMs: machineMs(),
      outcome,
      ...(error === undefined ? {} : { error }),
    }
    this.records.push(record)
    if (outcome === 'failed') this.#options.tell(failureText(record))
  }

  async #inflict(
    faults: readonly PlannedFault[],
    over: AbortSignal,
  ): Promise<{ readonly healed: Healed; readonly error?: string }> {
    const options = { random: this.#options.random, signal: over }
    const results = await Promise.allSettled(
      faults.map((fault) => inflictFault(this.#system, fault, options)),
    )
    const healed = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const nowMs = machineMs()
    const failed = results.find((result) => result.status === 'rejected')
    return {
      healed: {
        healedAtMs: Math.max(...healed.map(({ healedAtMs }) => healedAtMs), failed === undefined ? 0 : nowMs),
        provenAfterMs: Math.max(
          ...healed.map(({ provenAfterMs }) => provenAfterMs),
          failed === undefined ? 0 : nowMs,
        ),
      },
      ...(failed === undefined ? {} : { error: describeError(failed.reason) }),
    }
  }
}
