import type { Clock } from './clock.ts'
import { AppError } from './errors.ts'

export interface RetryPolicy {
  readonly minMs: number
  readonly maxMs: number
  /** A link that lived this long was healthy: the next failure starts from attempt 0. */
  readonly stableAfterMs: number
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
  if (!(error instanceof RetryLaterError)) return ownMs
  return Math.max(ownMs, Math.min(longestHintMs, error.delayMs) + Math.round(random() * policy.minMs))
}

/**
 * Runs `connectOnce` for ever. `connectOnce` resolves when its link has closed and rejects when it failed; either way
 * it has released everything it opened. Returns once `signal` aborts; rethrows an error marked permanent.
 */
export async function keepConnected(
  connectOnce: (signal: AbortSignal) => Promise<void>,
  policy: RetryPolicy,
  deps: KeepConnectedDeps,
  signal: AbortSignal,
): Promise<void> {
  let attempt = 0
  while (!signal.aborted) {
    const startedAtMs = deps.clock.monotonicMs()
    let error: unknown
    try {
      await connectOnce(signal)
    } catch (caught) {
      if (signal.aborted) return
      if (caught instanceof AppError && caught.permanent) throw caught
      error = caught
    }
    if (isAborted(signal)) return
    if (deps.clock.monotonicMs() - startedAtMs >= policy.stableAfterMs) attempt = 0
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
