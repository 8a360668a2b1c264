import { AppError } from '@relay/common/errors'
import { RetryLaterError } from '@relay/common/keep-connected'
import { judgeAccessAnswer, readRetryAfterMs } from './access-answer.ts'
import type { LinkProblem } from './link-state.ts'

/** A dial that failed, or a link that went away; the page has words for each `problem`. */
export class LinkError extends AppError {
  readonly problem: LinkProblem
  constructor(problem: LinkProblem, options: { readonly cause?: unknown } = {}) {
    super(`LINK_${problem.replaceAll('-', '_').toUpperCase()}`, `link to the relay: ${problem}`, options)
    this.problem = problem
  }
}

/** The relay asked for a pause. */
export class RelayBusyError extends RetryLaterError {
  readonly problem = 'busy'
}

export interface DialOptions {
  readonly url: string
  readonly token: string
  readonly signal: AbortSignal
}

/** For the answer of the access server, and again for the websocket to open. */
const dialTimeoutMs = 10_000
/** The answer is one short JSON object; more than this is not worth reading. */
const maxAnswerCharacters = 65_536

/**
 * Swaps the token for a one-time address (session spec 8: POST, body `{}`, bare token).
 * @throws {LinkError} with the problem; {@link RelayBusyError} where the relay asks for a pause.
 */
export async function fetchOneTimeAddress({ url, token, signal }: DialOptions): Promise<string> {
  const limit = withDeadline(signal, dialTimeoutMs)
  try {
    const response = await fetch(url, {
      method: 'POST',
      body: '{}',
      headers: { 'Content-Type': 'application/json', Authorization: token },
      signal: limit.signal,
      cache: 'no-store',
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
    })
    const answer = judgeAccessAnswer(response.status, (await response.text()).slice(0, maxAnswerCharacters))
    if (answer.ok) return answer.uri
    const delayMs = readRetryAfterMs(response.headers.get('retry-after'), Date.now())
    if (answer.refusal === 'busy' && delayMs !== undefined) {
      throw new RelayBusyError('the relay is busy', delayMs)
    }
    throw new LinkError(answer.refusal)
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    throw new LinkError(limit.isOver() ? 'timeout' : 'network', { cause })
  } finally {
    limit.release()
  }
}

/**
 * Opens a websocket; resolves when it is open.
 * @throws {LinkError} `relay-down`, `timeout`, or `nonsense` where the browser refuses the address.
 */
export function openWebSocket(uri: string, signal: AbortSignal): Promise<WebSocket> {
  const limit = withDeadline(signal, dialTimeoutMs)
  const listeners = new AbortController()
  return new Promise<WebSocket>((resolve, reject) => {
    const socket = createWebSocket(uri)
    const fail = (): void => {
      listeners.abort()
      socket.close()
      reject(new LinkError(limit.isOver() ? 'timeout' : 'relay-down'))
    }
    const succeed = (): void => {
      listeners.abort()
      resolve(socket)
    }
    const untilSettled = { signal: listeners.signal }
    limit.signal.addEventListener('abort', fail, untilSettled)
    socket.addEventListener('close', fail, untilSettled)
    socket.addEventListener('error', fail, untilSettled)
    socket.addEventListener('open', succeed, untilSettled)
    if (limit.signal.aborted) fail()
  }).finally(() => limit.release())
}

function createWebSocket(uri: string): WebSocket {
  try {
    const socket = new WebSocket(uri)
    socket.binaryType = 'arraybuffer'
    return socket
  } catch (cause) {
    throw new LinkError('nonsense', { cause })
  }
}

interface Limit {
  readonly signal: AbortSignal
  isOver(): boolean
  release(): void
}

/** Aborts with the outer signal or after a time. (`AbortSignal.any` is missing in phones that are still in use.) */
function withDeadline(outer: AbortSignal, timeoutMs: number): Limit {
  const controller = new AbortController()
  const abort = (): void => controller.abort()
  let over = false
  const timer = setTimeout(() => {
    over = true
    abort()
  }, timeoutMs)
  outer.addEventListener('abort', abort)
  if (outer.aborted) abort()
  return {
    signal: controller.signal,
    isOver: () => over,
    release: () => {
      clearTimeout(timer)
      outer.removeEventListener('abort', abort)
    },
  }
}
