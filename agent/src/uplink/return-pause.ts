import { AppError } from '@relay/common/errors'
import { RetryLaterError } from '@relay/common/keep-connected'

/** The usual first pause ends by then: who spreads comes after it, and not together with it. */
const afterUsualMs = 1_000

/**
 * Makes the hosts of a relay that went down come back one after the other: at the moment that it gave this one when it
 * said goodbye, or, where it broke off without a word, at some moment within the spread that it told before.
 */
export class ReturnPause {
  readonly #random: () => number
  #spreadMs: number | undefined

  constructor(random: () => number) {
    this.#random = random
  }

  /** The relay told it. It holds until the next link. */
  spread(spreadMs: number): void {
    this.#spreadMs = spreadMs
  }

  /** What to reject with when a link ended by `error`. */
  slowDown(error: unknown): unknown {
    const spreadMs = this.#spreadMs
    this.#spreadMs = undefined
    if (!(error instanceof AppError)) return error
    if (error.code === 'RELAY_CLOSED') {
      const { returnAfterMs } = error.details as { readonly returnAfterMs?: number }
      return returnAfterMs === undefined ? error : new RetryLaterError(error.message, returnAfterMs)
    }
    if (error.code !== 'RELAY_LOST' || spreadMs === undefined) return error
    return new RetryLaterError(error.message, afterUsualMs + this.#random() * spreadMs)
  }
}
