/** Looks again every few milliseconds until it is true; fails with the last state after `withinMs`. */
export async function eventually(
  isTrue: () => boolean,
  { withinMs = 20_000, show = () => '' }: { readonly withinMs?: number; readonly show?: () => unknown } = {},
): Promise<void> {
  const deadlineMs = performance.now() + withinMs
  while (!isTrue()) {
    if (performance.now() > deadlineMs) {
      throw new Error(
        `it did not become true within ${withinMs} ms: ${isTrue.toString()}; ${JSON.stringify(show())}`,
      )
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** The process is there, a dead one that nobody has fetched yet not counted. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
