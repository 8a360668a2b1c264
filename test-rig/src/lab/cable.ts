import type { Clock } from '@relay/common/clock'
import { AppError } from '@relay/common/errors'
import { keepConnected, type RetryPolicy } from '@relay/common/keep-connected'
import type { PtyPair } from '../pty/pty-pair.ts'

export interface CableDeps {
  readonly clock: Clock
  readonly random: () => number
  readonly say: (line: string) => void
}

const policy: RetryPolicy = { minMs: 100, maxMs: 5000, stableAfterMs: 5000 }

/** Keeps a cable plugged in until `signal` aborts: one whose socat has died is replaced, and a line says so. */
export async function keepPluggedIn(cable: PtyPair, deps: CableDeps, signal: AbortSignal): Promise<void> {
  const plugOnce = async (): Promise<void> => {
    await cable.plug()
    const stopped = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    await Promise.race([cable.unplugged(), stopped])
    if (signal.aborted) return
    await cable.pull()
    throw new AppError('CABLE_BROKEN', 'serial cable: socat has ended')
  }
  const onRetry = ({ delayMs }: { readonly delayMs: number }): void => {
    deps.say(`serial cable: socat has ended; it is plugged in again in ${(delayMs / 1000).toFixed(1)} s`)
  }
  await keepConnected(plugOnce, policy, { clock: deps.clock, random: deps.random, onRetry }, signal)
}
