import { type Cancel, type Clock, sleepWith } from './clock.ts'

interface Alarm {
  readonly dueAtMs: number
  readonly action: () => void
}

/** A clock for tests: time stands still until `advance` moves it; `jump` sets the wall clock alone. */
export class FakeClock implements Clock {
  #elapsedMs = 0
  #epochMs: number
  readonly #alarms = new Set<Alarm>()

  constructor(startMs = 1_700_000_000_000) {
    this.#epochMs = startMs
  }

  nowMs(): number {
    return this.#epochMs + this.#elapsedMs
  }

  monotonicMs(): number {
    return this.#elapsedMs
  }

  after(delayMs: number, action: () => void): Cancel {
    const alarm: Alarm = { dueAtMs: this.#elapsedMs + Math.max(0, delayMs), action }
    this.#alarms.add(alarm)
    return () => void this.#alarms.delete(alarm)
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return sleepWith(this, delayMs, signal)
  }

  /** How many alarms are set: a leak shows here. */
  get pending(): number {
    return this.#alarms.size
  }

  /** Moves both clocks on (`byMs` >= 0), firing what falls due in order and letting promises settle between. */
  async advance(byMs: number): Promise<void> {
    if (!(byMs >= 0)) throw new RangeError('a clock does not run backwards; use jump for the wall clock')
    const targetMs = this.#elapsedMs + byMs
    await settle()
    for (;;) {
      const next = this.#nextDue(targetMs)
      if (next === undefined) break
      this.#alarms.delete(next)
      this.#elapsedMs = next.dueAtMs
      next.action()
      await settle()
    }
    this.#elapsedMs = targetMs
  }

  /** Somebody sets the wall clock: durations go on undisturbed. */
  jump(byMs: number): void {
    this.#epochMs += byMs
  }

  #nextDue(untilMs: number): Alarm | undefined {
    let next: Alarm | undefined
    for (const alarm of this.#alarms) {
      if (alarm.dueAtMs <= untilMs && (next === undefined || alarm.dueAtMs < next.dueAtMs)) next = alarm
    }
    return next
  }
}

/** Lets everything that is already resolved run its continuations. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}
