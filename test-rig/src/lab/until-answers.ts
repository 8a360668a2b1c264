import { setTimeout as sleep } from 'node:timers/promises'

const askEveryMs = 50

/** Asks until the address answers with success, or `signal` aborts. */
export async function untilAnswers(
  address: string,
  signal: AbortSignal,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  while (!signal.aborted) {
    const isReady = await fetch(address, { signal, headers }).then(
      async (response) => {
        await response.body?.cancel()
        return response.ok
      },
      () => false,
    )
    if (isReady) return
    await sleep(askEveryMs, undefined, { signal }).catch(() => undefined)
  }
}
