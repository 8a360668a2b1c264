import type { Clock } from './clock.ts'

/**
 * What a part owes to the watchdog: at every step it promises when the next one comes at the latest. A part that waits
 * for hardware that is gone keeps its promise by trying again in time; one that broke its promise is stuck, and only a
 * restart of the program helps. Cheap enough for a data path.
 */
export class Progress {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  #deadlineMs = Number.POSITIVE_INFINITY

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock
  }

  /** The next step comes within `withinMs`. Replaces the promise before. */
  promise(withinMs: number): void {
    this.#deadlineMs = this.#clock.monotonicMs() + withinMs
  }

  /** Nothing is owed: the part has ended, or waits for what may never come, such as a command of a student. */
  rest(): void {
    this.#deadlineMs = Number.POSITIVE_INFINITY
  }

  /** For how long the promise has been broken, in milliseconds; 0 while it holds. */
  get overdueMs(): number {
    return Math.max(0, this.#clock.monotonicMs() - this.#deadlineMs)
  }
}
