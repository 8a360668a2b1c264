import { aborted } from './clock.ts'
import { keepConnected, type KeepConnectedDeps, type RetryPolicy } from './keep-connected.ts'
import { RefusalPause } from './refusal-pause.ts'
import type { TokenSource } from './token-source.ts'

export interface ByTokenDeps extends KeepConnectedDeps {
  /** `noToken` for what is dialled without one. */
  readonly token: TokenSource
  /** There is another token, and a link with it is made at once. */
  readonly onNewToken: () => void
  /** Trying again with this token cannot help: nothing is done until there is another one. */
  readonly onGaveUp: (error: unknown) => void
}

/** One attempt to connect. */
export interface TokenAttempt {
  /** The token as it is at this moment. */
  readonly readToken: () => Promise<string>
  /** To be called when it was taken: refusals before it count no more. */
  readonly accepted: () => void
  /** To be called when the link is up (see `RetryPolicy.stableFrom`). */
  readonly established: () => void
}

/**
 * `keepConnected` for what needs a token. One that is refused again and again is tried rarely; a new one ends the link or
 * the wait, and is used at once. Returns when `signal` aborts.
 */
export async function keepConnectedByToken(
  connectOnce: (attempt: TokenAttempt, signal: AbortSignal) => Promise<void>,
  policy: RetryPolicy,
  deps: ByTokenDeps,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) await runRound(connectOnce, policy, deps, signal)
}

/** Until stopped, or until there is a new token. */
async function runRound(
  connectOnce: Parameters<typeof keepConnectedByToken>[0],
  policy: RetryPolicy,
  deps: ByTokenDeps,
  signal: AbortSignal,
): Promise<void> {
  const { token: source, onNewToken, onGaveUp, random } = deps
  const round = new AbortController()
  const either = AbortSignal.any([signal, round.signal])
  const refusals = new RefusalPause(random)
  let last: string | undefined
  const readToken = async (): Promise<string> => {
    last = await source.read()
    return last
  }
  const watch = async (): Promise<void> => {
    while (!either.aborted) {
      const known = last
      await source.whenChanged(known, either)
      // It may have been read in the meantime by an attempt of its own.
      if (either.aborted || known !== last) continue
      onNewToken()
      round.abort()
    }
  }
  const watching = watch()
  try {
    await keepConnected(
      async (inner, established) => {
        try {
          await connectOnce({ readToken, accepted: () => refusals.reset(), established }, inner)
        } catch (error) {
          throw refusals.slowDown(error)
        }
      },
      policy,
      deps,
      either,
    )
  } catch (error) {
    onGaveUp(error)
    await aborted(either)
  } finally {
    round.abort()
    await watching
  }
}
