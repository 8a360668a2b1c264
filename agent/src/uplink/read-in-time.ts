import type { Clock } from '@relay/common/clock'
import { AppError } from '@relay/common/errors'

/** A card or a network drive that hangs must keep nobody waiting for longer. */
export const readWithinMs = 5_000

/**
 * Gives `read` a deadline. A read that hangs cannot be called off and holds one of the few threads of this process: none
 * is begun while another has not ended.
 * @throws {AppError} `TOKEN_FILE_UNREADABLE`; what `read` throws.
 */
export function readInTime(
  read: () => Promise<string>,
  { path, clock }: { readonly path: string; readonly clock: Clock },
): () => Promise<string> {
  let reading: Promise<string> | undefined
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
    const message = `the token file ${path} cannot be read: its disk did not answer for ${readWithinMs / 1000} s`
    throw new AppError('TOKEN_FILE_UNREADABLE', message)
  }
}
