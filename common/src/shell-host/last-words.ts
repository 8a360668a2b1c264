import type { Clock } from '../clock.ts'
import type { TunnelLink } from '../tunnel/tunnel-link.ts'

/** Behind a window of a fast download, on a line that takes it; a slower one loses the words. */
const lastWordsWithinMs = 2_000

/**
 * Waits until all that was said on links that are being closed has arrived: the relay has answered the close, which
 * stands behind it. That it has left is not enough: a connection that is cut while something unread has come takes back
 * what is under way (TCP resets it), and in a fast download acknowledgements come all the time. What is not over within 2 s
 * is cut.
 */
export async function waitForLastWords(
  links: readonly TunnelLink[],
  clock: Pick<Clock, 'sleep'>,
): Promise<void> {
  const over = new AbortController()
  await Promise.race([
    Promise.all(links.map(({ whenGone }) => whenGone)),
    clock.sleep(lastWordsWithinMs, over.signal),
  ])
  over.abort()
  for (const link of links) link.terminate()
}
