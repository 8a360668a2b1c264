import type { RetainedAccount } from './retained-bytes.ts'

/** Somebody who may keep memory because its socket is full. */
export interface MemoryHolder {
  /** Whose share it adds to; undefined: it keeps nothing. */
  readonly account: RetainedAccount | undefined
  /** Since when its socket is full, on the monotonic clock in ms. */
  readonly blockedSinceMs: number
}

/** A socket that is full for less than this is one of a reader that keeps up: it is never cut. */
const keepsUpMs = 1000

/**
 * Gets the memory of slow readers back under its limit. It is taken where the most is: from the topic that keeps more
 * than any other, and there from the reader whose socket has been full the longest. So a topic with many readers that
 * stall pays itself, and the readers of others lose nothing; nor does anybody whose socket was free within the last
 * second, for which the limit may be exceeded that long.
 *
 * @param cut must end a holder so that what it keeps is released at once.
 */
export function relieveMemory<T extends MemoryHolder>(
  retained: { readonly isOver: boolean },
  holders: Iterable<T>,
  { nowMs, cut }: { readonly nowMs: number; readonly cut: (holder: T) => void },
): void {
  const byAccount = new Map<RetainedAccount, T[]>()
  for (const holder of holders) {
    if (holder.account === undefined) continue
    const others = byAccount.get(holder.account)
    if (others === undefined) byAccount.set(holder.account, [holder])
    else others.push(holder)
  }
  // The longest blocked one last, where `pop` takes it.
  for (const held of byAccount.values()) held.sort((one, other) => other.blockedSinceMs - one.blockedSinceMs)
  while (retained.isOver) {
    const holder = largest(byAccount)?.pop()
    if (holder === undefined || nowMs - holder.blockedSinceMs < keepsUpMs) return
    cut(holder)
  }
}

function largest<T>(byAccount: ReadonlyMap<RetainedAccount, T>): T | undefined {
  let most = 0
  let found: T | undefined
  for (const [{ bytes }, held] of byAccount) {
    if (bytes <= most) continue
    most = bytes
    found = held
  }
  return found
}
