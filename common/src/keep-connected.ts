import type { Clock } from './clock.ts'
import { AppError } from './errors.ts'

/**
 * For an uplink take `{ minMs: 1000, maxMs: 10_000, stableAfterMs: 5000, stableFrom: 'established' }`: the delays are
 * then in 1..2, 1..4, 1..8, 1..10 s, which is gentle on a relay that many devices lose at once, and what the other end
 * is used to (spec session 7.6: 2 to 5 attempts in the first 4.4 s, back within 4 s of a first loss).
 */
export interface RetryPolicy {
  /** At least 1. */
  readonly minMs: number
  readonly maxMs: number
  /** A link that lived this long was healthy: the next failure starts from attempt 0. */
  readonly stableAfterMs: number
  /**
   * Where that life begins: with the call of `connectOnce` (default), or when it calls `established`. Take the second
   * for what dials: a dial that hangs for a minute and fails is no link that lived for a minute.
   */
  readonly stableFrom?: 'start' | 'established'
}

export interface Retry {
  /** 0 for the first wait after a healthy link. */
  readonly attempt: number
  readonly delayMs: number
  /** Why the link is down; undefined when the peer closed it in order. */
  readonly error: unknown
}

export interface KeepConnectedDeps {
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  readonly onRetry: (retry: Retry) => void
}

/** A `connectOnce` may reject with this to say that the server asked for a pause (`Retry-After`, RFC 9110 10.2.3). */
export class RetryLaterError extends AppError {
  readonly delayMs: number
  constructor(message: string, delayMs: number) {
    super('RETRY_LATER', message, { details: { delayMs } })
    this.delayMs = delayMs
  }
}

/** A server can delay us by no more than this, so that a wrong clock there cannot switch a device off. */
const longestHintMs = 600_000

/** Exponential ceiling with full jitter, never below `minMs`. Pure. */
export function retryDelayMs(attempt: number, policy: RetryPolicy, random: () => number): number {
  const ceilingMs = Math.min(policy.maxMs, policy.minMs * 2 ** (attempt + 1))
  return Math.round(policy.minMs + random() * Math.max(0, ceilingMs - policy.minMs))
}

/** The wait before the next attempt: our own delay, or longer where the server asked for it. Pure. */
export function nextDelayMs(
  attempt: number,
  error: unknown,
  policy: RetryPolicy,
  random: () => number,
): number {
  const ownMs = retryDelayMs(attempt, policy, random)
  if (!(error instanceof RetryLaterError) || Number.isNaN(error.delayMs)) return ownMs
  // All devices get the same hint: they must not come back in the same moment.
  return Math.max(ownMs, Math.min(longestHintMs, error.delayMs) + Math.round(random() * policy.minMs))
}

/**
 * Runs `connectOnce` for ever. `connectOnce` resolves when its link has closed and rejects when it failed; either way
 * it has released everything it opened, and it ends soon after `signal` aborts. It may call `established` when the
 * link is up (see `RetryPolicy.stableFrom`). Returns once `signal` aborts; rethrows an error marked permanent.
 */
export async function keepConnected(
  connectOnce: (signal: AbortSignal, established: () => void) => Promise<void>,
  policy: RetryPolicy,
  deps: KeepConnectedDeps,
  signal: AbortSignal,
): Promise<void> {
  let attempt = 0
  while (!signal.aborted) {
    let upSinceMs = policy.stableFrom === 'established' ? Infinity : deps.clock.monotonicMs()
    let error: unknown
    try {
      await connectOnce(signal, () => {
        upSinceMs = Math.min(upSinceMs, deps.clock.monotonicMs())
      })
    } catch (caught) {
      if (isAborted(signal)) return
      if (caught instanceof AppError && caught.permanent) throw caught
      error = caught
    }
    if (isAborted(signal)) return
    if (deps.clock.monotonicMs() - upSinceMs >= policy.stableAfterMs) attempt = 0
    const delayMs = nextDelayMs(attempt, error, policy, deps.random)
    deps.onRetry({ attempt, delayMs, error })
    attempt += 1
    await deps.clock.sleep(delayMs, signal)
  }
}

/** A call, so that the type checker knows that the answer changes during an `await`. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted
}
