import type { AppError } from '@relay/common/errors'
import type { LocalEvents, LocalSide } from '@relay/common/tunnel/local-side'

/** What ssh says of its own accord is far less. */
const maxKeptBytes = 65_536

export interface EarlyLocalDeps {
  readonly local: LocalSide
  /** Its stream has ended: there is nobody, or nobody who says any more. */
  readonly onEnded: () => void
  readonly onBroke: (error: AppError) => void
}

/**
 * Reads a local program while its session is still being opened, so that its end is seen, and keeps what it says.
 *
 * Invariants: not a byte is lost; beyond 64 KiB (and one read) nothing is read.
 */
export class EarlyLocal implements LocalEvents {
  readonly #deps: EarlyLocalDeps
  #kept: Buffer[] = []
  #keptBytes = 0
  #hasEnded = false

  constructor(deps: EarlyLocalDeps) {
    this.#deps = deps
  }

  /** Gives everything so far to `events`, which hears the rest itself and finds the local side paused. */
  handOver(events: LocalEvents): void {
    this.#deps.local.pause()
    for (const data of this.#kept) events.localBytes(data)
    this.#kept = []
    if (this.#hasEnded) events.localEnded()
  }

  localBytes(data: Buffer): void {
    this.#kept.push(data)
    this.#keptBytes += data.length
    if (this.#keptBytes > maxKeptBytes) this.#deps.local.pause()
  }

  localEnded(): void {
    this.#hasEnded = true
    this.#deps.onEnded()
  }

  localTook(): void {
    // Nothing is written yet.
  }

  localTookEnd(): void {
    // Nor is it ended.
  }

  localBroke(error: AppError): void {
    this.#deps.onBroke(error)
  }
}
