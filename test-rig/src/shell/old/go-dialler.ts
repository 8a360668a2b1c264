import { once } from 'node:events'
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'

const postTimeoutMs = 10_000
const handshakeTimeoutMs = 45_000
/** Waits after a failure, in seconds; the last one stays (spec shell 5.5). */
const waitsMs = [1000, 2000, 4000, 8000, 10_000]

/**
 * Asks an access API for an address as Go's clients do (spec shell 4): they look at no status, parse the body as an object
 * and take `uri`. Throws for anything else.
 */
export async function postForUri(access: string, token: string, signal: AbortSignal): Promise<string> {
  const body = await post(access, token, signal)
  const answer: unknown = JSON.parse(body)
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer))
    throw new TypeError('the answer is no object')
  const uri = new Map<string, unknown>(Object.entries(answer)).get('uri')
  return new URL(typeof uri === 'string' ? uri : '').href
}

function post(access: string, token: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: token, 'user-agent': 'Go-http-client/1.1', 'content-length': '0' }
    const sent = request(access, { method: 'POST', headers, agent: false, signal, timeout: postTimeoutMs })
    sent.on('timeout', () => sent.destroy(new Error('no answer in time')))
    sent.on('error', reject)
    sent.on('response', (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => (body += text))
      response.on('end', () => resolve(body)).on('error', reject)
    })
    sent.end()
  })
}

/** Opens a websocket as Go's diallers do: no subprotocol, no Origin, no compression. Rejects when it is refused. */
export async function dialWebsocket(uri: string, signal: AbortSignal): Promise<WebSocket> {
  const socket = new WebSocket(uri, {
    perMessageDeflate: false,
    handshakeTimeout: handshakeTimeoutMs,
    headers: { 'user-agent': 'Go-http-client/1.1' },
  })
  const onAbort = (): void => socket.terminate()
  signal.addEventListener('abort', onAbort)
  socket.once('close', () => signal.removeEventListener('abort', onAbort))
  try {
    await once(socket, 'open', { signal })
  } catch (error) {
    socket.on('error', () => {})
    socket.terminate()
    throw error
  }
  // Go reads until an error and then stops; what went wrong shows in `close`.
  socket.on('error', () => {})
  return socket
}

/**
 * POSTs, dials and hands the websocket to `run` for as long as it lives, for ever (spec shell 5.5): growing waits after a
 * failure, none after a dial that succeeded, however short the connection was.
 */
export async function reconnectForEver(
  options: {
    readonly access: string
    readonly token: string
    readonly signal: AbortSignal
    readonly onPost?: () => void
  },
  run: (socket: WebSocket) => Promise<void>,
): Promise<void> {
  const { access, token, signal } = options
  let failures = 0
  while (!signal.aborted) {
    try {
      options.onPost?.()
      const uri = await postForUri(access, token, signal)
      const socket = await dialWebsocket(uri, signal)
      failures = 0
      await run(socket)
    } catch {
      const waitMs = waitsMs[Math.min(failures, waitsMs.length - 1)]
      failures += 1
      await sleep(waitMs, undefined, { signal }).catch(() => undefined)
    }
  }
}
