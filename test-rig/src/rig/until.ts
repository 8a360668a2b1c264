import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Asks again and again until `probe` gives something, and gives that. For states of other processes, which announce no
 * event that could be awaited.
 * @throws {Error} naming `what` when the time is over; the last error of the probe is its cause.
 */
export async function until<T>(
  what: string,
  probe: () => T | undefined | false | null | Promise<T | undefined | false | null>,
  { withinMs = 30_000, everyMs = 50 }: { readonly withinMs?: number; readonly everyMs?: number } = {},
): Promise<T> {
  const giveUpAtMs = performance.now() + withinMs
  let cause: unknown
  while (performance.now() < giveUpAtMs) {
    try {
      const found = await probe()
      if (found !== undefined && found !== false && found !== null) return found
      cause = undefined
    } catch (error) {
      cause = error
    }
    await sleep(everyMs)
  }
  throw new Error(`${what} did not come true within ${withinMs} ms`, { cause })
}
