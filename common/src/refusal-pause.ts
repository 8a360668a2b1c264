import { AccessRefusedError } from './exchange-token.ts'
import { RetryLaterError } from './keep-connected.ts'

/** A refused token is tried a few times at the usual pace, as the server may be the one that is wrong, then rarely. */
const usualRefusals = 2
const refusedPauseMs = 30_000

/**
 * Makes the attempts with a token that is refused again and again rare: one in 30 to 60 s, so that a fleet whose tokens
 * have expired does not keep a relay busy. Who holds it ends the wait when there is a new token.
 */
export class RefusalPause {
  readonly #random: () => number
  #refusals = 0

  constructor(random: () => number) {
    this.#random = random
  }

  /** The token was accepted. */
  reset(): void {
    this.#refusals = 0
  }

  /** What to reject with, so that the next attempt comes when it should. */
  slowDown(error: unknown): unknown {
    if (!(error instanceof AccessRefusedError)) return error
    this.#refusals += 1
    if (this.#refusals <= usualRefusals) return error
    const delayMs = Math.round(refusedPauseMs * (1 + this.#random()))
    return new RetryLaterError(`${error.message}; a new token is needed`, delayMs)
  }
}
