import type { Clock } from '@relay/common/clock'
import { AppError } from '@relay/common/errors'
import { AccessRefusedError, exchangeToken } from '@relay/common/exchange-token'
import { keepConnected, type Retry } from '@relay/common/keep-connected'
import { inputMessages } from './input-messages.ts'
import type { PlayStep } from './play-script.ts'
import { type RecordMode, type RecordOutput, recordOf } from './record-output.ts'
import { dialTopic, type TopicLink } from './topic-link.ts'

export interface CatSessionOptions {
  /** Access address with the topic. */
  readonly access: string
  readonly mode: RecordMode
  /** Sent instead of stdin where there are any. */
  readonly steps: readonly PlayStep[] | undefined
  /** Ends when everything has been sent; else goes on receiving. */
  readonly endsWhenSent: boolean
}

export interface CatSessionDeps {
  readonly clock: Clock
  readonly random: () => number
  readonly input: NodeJS.ReadableStream
  readonly output: RecordOutput
  /** The token for the next connection. */
  readonly token: () => Promise<string>
  /** It will be the same next time: a refusal is final. */
  readonly isTokenFixed: boolean
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly onRetry: (retry: Retry) => void
}

const policy = { minMs: 1000, maxMs: 10_000, stableAfterMs: 5000, stableFrom: 'established' } as const
const exchangeTimeoutMs = 10_000

/** The relay refused a token that will not change. */
class RefusedForGoodError extends AppError {
  override readonly permanent = true
}

/**
 * Stays on a topic until it is told to stop. Invariants: messages to send are taken one by one, and only while the link
 * is up, so that none is lost while it is down; a message whose link broke while it was sent is sent again.
 */
export class CatSession {
  readonly #options: CatSessionOptions
  readonly #deps: CatSessionDeps
  readonly #done = new AbortController()
  /** The next message, asked for and not sent yet: it belongs to whichever link is up when it comes. */
  #next: Promise<IteratorResult<string | Buffer>> | undefined

  constructor(options: CatSessionOptions, deps: CatSessionDeps) {
    this.#options = options
    this.#deps = deps
  }

  /** Returns when `signal` aborts, or when all is sent and that is the end. @throws {AppError} for a final refusal. */
  async run(signal: AbortSignal): Promise<void> {
    const ended = AbortSignal.any([signal, this.#done.signal])
    const messages = this.#toSend(ended)
    try {
      await keepConnected((until, up) => this.#connectOnce(messages, until, up), policy, this.#deps, ended)
    } catch (error) {
      if (!ended.aborted) throw error
    }
  }

  async #connectOnce(
    messages: AsyncIterator<string | Buffer>,
    signal: AbortSignal,
    established: () => void,
  ): Promise<void> {
    const { output, clock, environment } = this.#deps
    const uri = await this.#address(signal)
    const link = await dialTopic(uri, {
      signal,
      environment,
      onMessage: (payload, isBinary) =>
        output.write(recordOf(payload, { mode: this.#options.mode, isBinary, nowMs: clock.nowMs() })),
    })
    established()
    const stop = (): void => void link.close()
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    try {
      await Promise.race([link.closed, this.#sendAll(link, messages).then(() => link.closed)])
    } finally {
      signal.removeEventListener('abort', stop)
      await link.close()
    }
  }

  async #address(signal: AbortSignal): Promise<string> {
    const { token, environment, isTokenFixed } = this.#deps
    try {
      return await exchangeToken({
        access: this.#options.access,
        token: await token(),
        timeoutMs: exchangeTimeoutMs,
        signal,
        environment,
      })
    } catch (error) {
      if (!(error instanceof AccessRefusedError) || !isTokenFixed) throw error
      throw new RefusedForGoodError('TOKEN_REFUSED', error.message, { cause: error })
    }
  }

  async #sendAll(link: TopicLink, messages: AsyncIterator<string | Buffer>): Promise<void> {
    for (;;) {
      this.#next ??= messages.next()
      const next = await this.#next
      if (!link.isOpen) return
      if (next.done === true) break
      await link.send(next.value)
      this.#next = undefined
    }
    if (!this.#options.endsWhenSent) return
    await link.close()
    this.#done.abort('everything is sent')
  }

  #toSend(signal: AbortSignal): AsyncIterator<string | Buffer> {
    const { steps, mode } = this.#options
    if (steps !== undefined) return playMessages(steps, this.#deps.clock, signal)
    return inputMessages(this.#deps.input, mode === 'binary' ? 'chunks' : 'lines')
  }
}

async function* playMessages(
  steps: readonly PlayStep[],
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<string | Buffer> {
  for (const { waitMs, message } of steps) {
    if (waitMs > 0) await clock.sleep(waitMs, signal)
    if (signal.aborted) return
    if (message !== undefined) yield message.data
  }
}
