import type { Clock } from './clock.ts'
import type { Log } from './log.ts'
import type { Progress } from './progress.ts'

/** A part of a program, as far as the watchdog needs it. */
export interface WatchedPart {
  /** For people: `camera front`. */
  readonly name: string
  readonly progress: Progress
}

export interface WatchdogOptions {
  /** By when systemd wants the next sign of life; undefined: it does not watch, and stuck parts are only logged. */
  readonly intervalMs: number | undefined
  readonly parts: () => readonly WatchedPart[]
}

export interface WatchdogDeps {
  readonly clock: Clock
  readonly log: Log
  /** That of `node-systemd-notify`. */
  readonly notifier: { watchdog(): void }
}

/** A part that is this late may have had no turn yet on a board that is busy. */
const slackMs = 1_000
const lookWithoutSystemdEveryMs = 10_000
/** In the time within which systemd wants one: it may have too much to do to take each of them. */
const signsPerInterval = 3
/** While something is stuck: what goes on again is to be noticed before systemd ends us. */
const looksPerSign = 8

/** The parts that have broken their promise, those left out that are merely late on a busy board. */
export function stuckParts(parts: readonly WatchedPart[], lateMs = 0): readonly WatchedPart[] {
  return parts.filter(({ progress }) => progress.overdueMs > lateMs + slackMs)
}

/**
 * Gives systemd a sign of life as long as the event loop turns and every part keeps its promise. Where one does not, no
 * sign is given: systemd ends the agent and starts it anew, which is all that helps then. The log names the part before.
 */
export class Watchdog {
  readonly #options: WatchdogOptions
  readonly #deps: WatchdogDeps
  /** Names of parts that were logged as stuck. */
  readonly #told = new Set<string>()

  constructor(options: WatchdogOptions, deps: WatchdogDeps) {
    this.#options = options
    this.#deps = deps
  }

  /** Until `signal` aborts: what is being ended is no longer watched. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, notifier } = this.#deps
    const { intervalMs } = this.#options
    const everyMs = intervalMs === undefined ? lookWithoutSystemdEveryMs : intervalMs / signsPerInterval
    let lateMs = 0
    while (!signal.aborted) {
      const isStuck = this.#look(lateMs)
      if (!isStuck) notifier.watchdog()
      const waitMs = isStuck ? everyMs / looksPerSign : everyMs
      const dueAtMs = clock.monotonicMs() + waitMs
      await clock.sleep(waitMs, signal)
      // This process itself stood still: the parts had no turn either, and have it now.
      lateMs = Math.max(0, clock.monotonicMs() - dueAtMs)
    }
  }

  /** Says whether a part is stuck, and tells the log of each that begins or ends to be so. */
  #look(lateMs: number): boolean {
    const { log } = this.#deps
    const stuck = stuckParts(this.#options.parts(), lateMs)
    for (const name of this.#told) {
      if (stuck.some((part) => part.name === name)) continue
      this.#told.delete(name)
      log.info({ part: name }, 'a part that was stuck goes on again')
    }
    for (const part of stuck) {
      if (this.#told.has(part.name)) continue
      this.#told.add(part.name)
      const overdueMs = Math.round(part.progress.overdueMs)
      log.error(
        { part: part.name, overdueMs },
        this.#options.intervalMs === undefined
          ? 'a part is stuck, only a restart helps'
          : 'a part is stuck, systemd gets no sign of life and will start this service anew',
      )
    }
    return stuck.length > 0
  }
}
