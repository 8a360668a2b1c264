/** Cancels what was scheduled; calling it twice is harmless. */
export type Cancel = () => void

/**
 * Time as a dependency. `nowMs` is the wall clock (tokens, logs), `monotonicMs` never jumps (durations, deadlines).
 */
export interface Clock {
  /** Milliseconds since 1970. Jumps when somebody sets the clock. */
  nowMs(): number
  /** Milliseconds from an unknown start. Only differences mean something; never jumps. */
  monotonicMs(): number
  /** Runs `action` once, never before `delayMs` (any length) have passed. The timer keeps the process alive. */
  after(delayMs: number, action: () => void): Cancel
  /** Resolves after `delayMs`, or at once when `signal` aborts: the caller looks at the signal. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
}

/** `setTimeout` turns anything above 2^31-1 ms (24.8 days) into 1 ms; longer waits are made of shorter ones. */
const longestTimeoutMs = 2_147_483_647

/** The machine's clock. Delays of any length are kept, `Infinity` waits for ever. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (delayMs, action) => afterAnyDelay(delayMs, action),
  sleep: (delayMs, signal) => sleepWith(systemClock, delayMs, signal),
}

function afterAnyDelay(delayMs: number, action: () => void): Cancel {
  const dueAtMs = performance.now() + Math.max(0, delayMs)
  let timer: NodeJS.Timeout
  const arm = (): void => {
    // This very turn may have been held up beyond it, and Node warns of negative times.
    const leftMs = Math.max(0, Math.ceil(dueAtMs - performance.now()))
    timer = setTimeout(fire, Math.min(leftMs, longestTimeoutMs))
  }
  const fire = (): void => {
    // A timer may come some microseconds early; what must not happen before its time waits once more.
    if (performance.now() < dueAtMs) arm()
    else action()
  }
  arm()
  return () => clearTimeout(timer)
}

/** `sleep` for any clock, made of its `after`. */
export function sleepWith(clock: Pick<Clock, 'after'>, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve()
      return
    }
    const done = (): void => {
      cancel()
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.after(delayMs, done)
    signal?.addEventListener('abort', done, { once: true })
  })
}

/** Resolves when `signal` aborts, at once where it has. Keeps a listener until then: not for a wait within a loop. */
export function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined)
    else signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
}
