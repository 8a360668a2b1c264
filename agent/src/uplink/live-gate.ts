import { beginsKeyFrame, isTransportStream } from '../video/ts-cutter.ts'

export interface LiveGateOptions {
  /** More than this waiting in this process closes the gate. */
  readonly maxBufferedBytes: number
  /** The relay being further behind than this closes the gate; at least three round trips are allowed. */
  readonly maxLagMs: number
}

/** How the link does at this moment. */
export interface LinkLoad {
  readonly bufferedBytes: number
  readonly lagMs: number
  readonly bestRoundTripMs: number
  readonly nowMs: number
}

/** A stream that marks no key frames goes on after so long without one. */
const keyFrameWithinMs = 5_000

/**
 * Decides for each live message whether it goes out, so that a slow link carries fresh pictures instead of an ever
 * older backlog. It starts open, as a decoder finds the next key frame by itself. Once closed it opens again when the
 * backlog is down to a quarter and a key frame begins, so that no picture refers to one that was dropped.
 */
export class LiveGate {
  readonly #options: LiveGateOptions
  #isOpen = true
  /** When the link was found free again while the gate was closed. */
  #freeSinceMs: number | undefined

  constructor(options: LiveGateOptions) {
    this.#options = options
  }

  admits(message: Buffer, load: LinkLoad): boolean {
    const { maxBufferedBytes } = this.#options
    const maxLagMs = this.#maxLagMs(load)
    if (this.#isOpen) {
      if (load.bufferedBytes <= maxBufferedBytes && load.lagMs <= maxLagMs) return true
      this.#isOpen = false
      this.#freeSinceMs = undefined
      return false
    }
    if (load.bufferedBytes > maxBufferedBytes / 4 || load.lagMs > maxLagMs / 4) {
      this.#freeSinceMs = undefined
      return false
    }
    this.#freeSinceMs ??= load.nowMs
    if (!this.#canBeginWith(message, load.nowMs - this.#freeSinceMs)) return false
    this.#isOpen = true
    return true
  }

  #maxLagMs({ bestRoundTripMs }: LinkLoad): number {
    const { maxLagMs } = this.#options
    return Number.isFinite(bestRoundTripMs) ? Math.max(maxLagMs, 3 * bestRoundTripMs) : maxLagMs
  }

  #canBeginWith(message: Buffer, freeForMs: number): boolean {
    if (freeForMs >= keyFrameWithinMs) return true
    return beginsKeyFrame(message) || !isTransportStream(message)
  }
}
