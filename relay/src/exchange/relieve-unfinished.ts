import { relieveMemory } from './relieve-memory.ts'
import type { RetainedAccount } from './retained-bytes.ts'

/** Somebody whose message has come in part. */
export interface UnfinishedSender {
  readonly permission: { readonly topic: string }
  readonly unfinished: { readonly bytes: number; readonly sinceMs: number }
}

/**
 * Gets what has come of unfinished messages under `maxBytes`, by the same rule as `relieveMemory`: the topic with the
 * most of it pays, whose message is unfinished for the longest first.
 */
export function relieveUnfinished<T extends UnfinishedSender>(
  senders: Iterable<T>,
  { maxBytes, nowMs, cut }: { maxBytes: number; nowMs: number; cut: (sender: T) => void },
): void {
  const accounts = new Map<string, RetainedAccount>()
  const holders: { account: RetainedAccount; blockedSinceMs: number; sender: T; bytes: number }[] = []
  let sum = 0
  for (const sender of senders) {
    const { bytes, sinceMs } = sender.unfinished
    if (bytes === 0 || sinceMs < 0) continue
    const account = accounts.get(sender.permission.topic) ?? { bytes: 0 }
    accounts.set(sender.permission.topic, account)
    account.bytes += bytes
    sum += bytes
    holders.push({ account, blockedSinceMs: sinceMs, sender, bytes })
  }
  const total = {
    get isOver(): boolean {
      return sum > maxBytes
    },
  }
  if (!total.isOver) return
  relieveMemory(total, holders, {
    nowMs,
    cut: ({ account, sender, bytes }) => {
      account.bytes -= bytes
      sum -= bytes
      cut(sender)
    },
  })
}
