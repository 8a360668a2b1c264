import { type Clock, systemClock } from '@relay/common/clock'
import { AppError } from '@relay/common/errors'
import { keepConnected, type RetryPolicy } from '@relay/common/keep-connected'
import type { Stream } from '../parameters/stream-parameters.ts'
import { Store } from '../store.ts'
import { fetchOneTimeAddress, LinkError, openWebSocket, RelayBusyError } from './dial-relay.ts'
import {
  isHopeless,
  type LinkEvent,
  type LinkProblem,
  type LinkState,
  nextLinkState,
  silencePatienceMs,
} from './link-state.ts'

/** Full jitter between these: a class of 250 that lost the relay comes back spread out. */
const retryPolicy: RetryPolicy = { minMs: 500, maxMs: 15_000, stableAfterMs: 10_000 }
/** While this much waits in the browser, nothing more is sent: set-points that arrive late are worse than none. */
const maxUnsentBytes = 65_536
const silenceCheckMs = 1000

export interface StreamLinkOptions {
  readonly stream: Stream
  /** How long an open link may be mute before a fresh one is tried. */
  readonly firstPatienceMs: number
  readonly onMessage: (data: string | Uint8Array) => void
  /** A new link is open: what came before it does not continue. */
  readonly onOpen: () => void
}

/**
 * Keeps one stream joined until the signal given to `run` aborts. Every dial swaps the
 * token for a fresh one-time address, as codes can be used once only (session spec 5).
 */
export class StreamLink {
  readonly state = new Store<LinkState>({ kind: 'idle' })
  /** How long the last dial took, from the POST until the websocket was open. */
  readonly setUpMs = new Store<number | undefined>(undefined)
  readonly #options: StreamLinkOptions
  #socket: WebSocket | undefined
  #lastHeardMs = 0
  #silencesInVain = 0
  #refusalsInARow = 0
  #wake: (() => void) | undefined

  constructor(options: StreamLinkOptions) {
    this.#options = options
  }

  /** Resolves when `signal` has aborted. Where the relay refuses for good it waits until somebody calls `dialNow`. */
  async run(signal: AbortSignal): Promise<void> {
    while (!isAborted(signal)) {
      await this.#runUntilHopeless(signal)
      if (isAborted(signal)) return
      await this.#sleep(Number.POSITIVE_INFINITY, signal)
      this.#refusalsInARow = 0
      this.#apply({ kind: 'restarted' })
    }
  }

  /** Whether something can be sent. */
  get isOpen(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN
  }

  /** The booking has ended: what `run` was given should be aborted as well. */
  expire(): void {
    this.#apply({ kind: 'expired' })
  }

  /** Ends a wait for the next dial: the network is back, or somebody wants to try again. */
  dialNow(): void {
    this.#wake?.()
  }

  /** Sends at once or not at all; what is urgent goes even where the browser still has something to send. */
  send(text: string, { isUrgent = false } = {}): boolean {
    const socket = this.#socket
    if (socket?.readyState !== WebSocket.OPEN) return false
    if (socket.bufferedAmount > maxUnsentBytes && !isUrgent) return false
    socket.send(text)
    return true
  }

  async #runUntilHopeless(signal: AbortSignal): Promise<void> {
    const clock: Clock = { ...systemClock, sleep: (delayMs, aborted) => this.#sleep(delayMs, aborted) }
    try {
      await keepConnected(
        (aborted) => this.#connectOnce(aborted),
        retryPolicy,
        { clock, random: Math.random, onRetry: ({ delayMs, error }) => this.#announceWait(delayMs, error) },
        signal,
      )
    } catch (error) {
      this.#apply({ kind: 'gave-up', problem: problemOf(error) })
    }
  }

  async #connectOnce(signal: AbortSignal): Promise<void> {
    const { url, token } = this.#options.stream
    this.#apply({ kind: 'dialling' })
    const startedAtMs = performance.now()
    try {
      const uri = await fetchOneTimeAddress({ url, token, signal })
      this.#refusalsInARow = 0
      const socket = await openWebSocket(uri, signal)
      this.setUpMs.set(performance.now() - startedAtMs)
      await this.#serve(socket, signal)
    } catch (error) {
      throw this.#withHope(error)
    }
  }

  /** Runs an open link until it is over; always rejects, unless `signal` aborted. */
  #serve(socket: WebSocket, signal: AbortSignal): Promise<void> {
    this.#socket = socket
    this.#lastHeardMs = performance.now()
    // Before the state is told: nobody must take what is left of the old link for news from the new one.
    this.#options.onOpen()
    this.#apply({ kind: 'opened', atMs: this.#lastHeardMs })
    const listeners = new AbortController()
    const whileServed = { signal: listeners.signal }
    return new Promise<void>((resolve, reject) => {
      const finish = (problem: LinkProblem | undefined): void => {
        clearInterval(watch)
        listeners.abort()
        this.#socket = undefined
        socket.close()
        if (problem === undefined) resolve()
        else reject(new LinkError(problem))
      }
      const watch = setInterval(() => {
        if (this.#isSilentTooLong()) finish('silent')
      }, silenceCheckMs)
      const receive = (event: MessageEvent<string | ArrayBuffer>): void => this.#receive(event.data)
      socket.addEventListener('message', receive, whileServed)
      socket.addEventListener(
        'close',
        ({ code }) => finish(code === 1007 ? 'not-utf8' : 'dropped'),
        whileServed,
      )
      signal.addEventListener('abort', () => finish(undefined), whileServed)
      if (signal.aborted) finish(undefined)
    })
  }

  #receive(data: string | ArrayBuffer): void {
    this.#lastHeardMs = performance.now()
    this.#silencesInVain = 0
    this.#apply({ kind: 'heard' })
    this.#options.onMessage(typeof data === 'string' ? data : new Uint8Array(data))
  }

  #isSilentTooLong(): boolean {
    const patienceMs = silencePatienceMs(this.#options.firstPatienceMs, this.#silencesInVain)
    if (performance.now() - this.#lastHeardMs < patienceMs) return false
    this.#silencesInVain += 1
    return true
  }

  /** The error itself, or a permanent one where another dial cannot help. */
  #withHope(error: unknown): unknown {
    const problem = problemOf(error)
    if (problem === 'refused' || problem === 'not-found') this.#refusalsInARow += 1
    return isHopeless(problem, this.#refusalsInARow) ? new HopelessError(problem) : error
  }

  #announceWait(delayMs: number, error: unknown): void {
    this.#apply({ kind: 'waiting', problem: problemOf(error), untilMs: performance.now() + delayMs })
  }

  async #sleep(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
    const awake = new AbortController()
    const wake = (): void => awake.abort()
    this.#wake = wake
    signal?.addEventListener('abort', wake)
    await systemClock.sleep(delayMs, awake.signal)
    signal?.removeEventListener('abort', wake)
    this.#wake = undefined
  }

  #apply(event: LinkEvent): void {
    this.state.set(nextLinkState(this.state.value, event))
  }
}

/** The relay has refused for good; `keepConnected` stops at it. */
class HopelessError extends AppError {
  override readonly permanent = true
  readonly problem: LinkProblem
  constructor(problem: LinkProblem) {
    super('LINK_HOPELESS', `link to the relay: ${problem}`)
    this.problem = problem
  }
}

/** A call, so that the type checker knows that the answer changes during an `await`. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted
}

function problemOf(error: unknown): LinkProblem {
  const known =
    error instanceof LinkError || error instanceof RelayBusyError || error instanceof HopelessError
  return known ? error.problem : 'network'
}
