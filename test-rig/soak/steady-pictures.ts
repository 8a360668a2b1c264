/** Longer than this between two messages and the pictures do not flow. */
const longestStepMs = 500
const steadyAfterMs = 500
const steadyAfterMessages = 12

/** Tells pictures that flow from a burst of what had piled up somewhere. Times come in order. */
export class SteadyPictures {
  #sinceMs: number | undefined
  #lastAtMs = 0
  #messages = 0

  /** A message came; gives whether they have been flowing for half a second now. */
  take(nowMs: number): boolean {
    if (this.#sinceMs === undefined || nowMs - this.#lastAtMs > longestStepMs) {
      this.#sinceMs = nowMs
      this.#messages = 0
    }
    this.#lastAtMs = nowMs
    this.#messages += 1
    return nowMs - this.#sinceMs >= steadyAfterMs && this.#messages >= steadyAfterMessages
  }
}
