import type { Clock } from './clock.ts'
import type { AppError } from './errors.ts'

/** A card or a network drive that hangs must keep nobody waiting for longer. */
export const readWithinMs = 5_000

/**
 * Gives `read` a deadline. A read that hangs cannot be called off and holds one of the few threads of this process: none
 * is begun while another has not ended.
 * @throws what `late` gives, and what `read` throws.
 */
export function readInTime<T extends {}>(
  read: () => Promise<T>,
  { clock, late }: { readonly clock: Clock; readonly late: () => AppError },
): () => Promise<T> {
  let reading: Promise<T> | undefined
  return async () => {
    reading ??= read().finally(() => {
      reading = undefined
    })
    // Its fault after the deadline is nobody's concern.
    reading.catch(() => undefined)
    const waiting = new AbortController()
    const outcome = await Promise.race([reading, clock.sleep(readWithinMs, waiting.signal)]).finally(() =>
      waiting.abort(),
    )
    if (outcome !== undefined) return outcome
    throw late()
  }
}
