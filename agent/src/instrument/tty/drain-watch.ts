import type { Clock } from '@relay/common/clock'

export interface DrainWatchOptions {
  readonly clock: Pick<Clock, 'monotonicMs'>
  /** Resolves when all output has left, or when the signal aborts. */
  readonly drain: (signal: AbortSignal) => Promise<void>
  /** How long so many bytes may take to leave. */
  readonly withinMs: (bytes: number) => number
}

/** Each look at the output costs a process: no more than one in this time. */
const lookEveryMs = 5_000

/**
 * Sees output that the kernel has taken and the hardware does not take: a board that hangs would move by it when it
 * comes to life again. At most one look is under way; all that is written during it counts in favour of the hardware,
 * so that a line that is busy without a pause is not taken for a stuck one.
 */
export class DrainWatch {
  readonly #options: DrainWatchOptions
  #look: { readonly sinceMs: number; readonly abort: AbortController } | undefined
  #lookedAtMs = Number.NEGATIVE_INFINITY
  /** Since the last look that ended well. */
  #bytes = 0

  constructor(options: DrainWatchOptions) {
    this.#options = options
  }

  /** The kernel has taken so many bytes. */
  written(bytes: number): void {
    this.#bytes += bytes
  }

  /** Begins a look where one is due, and says whether one takes too long. To be called about once a second. */
  isStuck(): boolean {
    const nowMs = this.#options.clock.monotonicMs()
    if (this.#look !== undefined) return nowMs - this.#look.sinceMs >= this.#options.withinMs(this.#bytes)
    if (this.#bytes > 0 && nowMs - this.#lookedAtMs >= lookEveryMs) this.#begin(nowMs)
    return false
  }

  /** Ends a look that is under way. */
  stop(): void {
    this.#look?.abort.abort()
    this.#look = undefined
  }

  #begin(nowMs: number): void {
    const look = { sinceMs: nowMs, abort: new AbortController() }
    const bytesBefore = this.#bytes
    this.#look = look
    this.#lookedAtMs = nowMs
    void this.#options.drain(look.abort.signal).then(() => {
      if (this.#look !== look) return
      this.#look = undefined
      this.#bytes -= bytesBefore
    })
  }
}
