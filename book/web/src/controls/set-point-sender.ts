import type { Cancel, Clock } from '@relay/common/clock'

export interface SetPointSenderOptions {
  /** Time between two lines. */
  readonly gapMs: number
  readonly clock: Pick<Clock, 'monotonicMs' | 'after'>
  /** Sends a line at once; false when that is not possible. */
  readonly send: (line: string) => boolean
  /** Tells about every line that was tried. */
  readonly onResult: (key: string, wasSent: boolean) => void
}

/**
 * Sends set-points while a slider moves: the first at once, then at most one per gap, the newest of each kind wins and
 * the last is always sent. Nothing is kept while the link is down: a set-point that arrives late moves an instrument
 * that somebody thought was at rest.
 */
export class SetPointSender {
  readonly #options: SetPointSenderOptions
  readonly #waiting = new Map<string, string>()
  #cancelTimer: Cancel | undefined
  #lastSentMs = Number.NEGATIVE_INFINITY

  constructor(options: SetPointSenderOptions) {
    this.#options = options
  }

  /** `key` tells set-points of different kinds apart. */
  set(key: string, line: string): void {
    this.#waiting.delete(key)
    this.#waiting.set(key, line)
    this.#sendWhenDue()
  }

  /** Forgets what waits: stop was pressed, or the link is gone. */
  clear(): void {
    this.#waiting.clear()
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  #sendWhenDue(): void {
    if (this.#cancelTimer !== undefined) return
    const { clock, gapMs } = this.#options
    const dueInMs = this.#lastSentMs + gapMs - clock.monotonicMs()
    if (dueInMs <= 0) this.#sendOldest()
    else {
      this.#cancelTimer = clock.after(dueInMs, () => {
        this.#cancelTimer = undefined
        this.#sendOldest()
      })
    }
  }

  #sendOldest(): void {
    const oldest = this.#waiting.entries().next()
    if (oldest.done === true) return
    const [key, line] = oldest.value
    this.#waiting.delete(key)
    this.#lastSentMs = this.#options.clock.monotonicMs()
    this.#options.onResult(key, this.#options.send(line))
    if (this.#waiting.size > 0) this.#sendWhenDue()
  }
}
