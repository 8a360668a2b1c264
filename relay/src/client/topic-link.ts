import { AppError } from '@relay/common/errors'
import { type Environment, proxyAgent } from '@relay/common/proxy'
import { type ClientOptions, WebSocket } from 'ws'

/** A websocket on a topic, as a program uses it. */
export interface TopicLink {
  readonly isOpen: boolean
  /** Resolves when more may be sent; rejects when the link is gone. */
  send(data: string | Buffer): Promise<void>
  /** Closes with 1000 and resolves when the peer has answered, or a short time is over. */
  close(): Promise<void>
  /** Resolves when the link has closed in order; rejects `LINK_LOST` when it broke, or with what `onMessage` threw. */
  readonly closed: Promise<void>
}

export interface DialOptions {
  readonly onMessage: (payload: Buffer, isBinary: boolean) => Promise<void>
  readonly signal: AbortSignal
  /** Of the process, for its proxy. */
  readonly environment: Environment
}

const handshakeTimeoutMs = 15_000
const closeTimeoutMs = 2000
const maxMessageBytes = 10_485_760
/** Above this, `send` waits. */
const maxBufferedBytes = 1_048_576

/**
 * Dials a one-time address.
 * @throws {AppError} `LINK_REFUSED` with the status, `LINK_FAILED`.
 */
export async function dialTopic(
  uri: string,
  { onMessage, signal, environment }: DialOptions,
): Promise<TopicLink> {
  const agent = proxyAgent(uri, { environment, timeoutMs: handshakeTimeoutMs, signal })
  const options: ClientOptions & { closeTimeout: number } = {
    perMessageDeflate: false,
    skipUTF8Validation: true,
    maxPayload: maxMessageBytes,
    handshakeTimeout: handshakeTimeoutMs,
    closeTimeout: closeTimeoutMs,
    headers: { 'user-agent': 'relay cat' },
    ...(agent === undefined ? {} : { agent }),
  }
  const socket = new WebSocket(uri, options)
  const abort = (): void => socket.terminate()
  signal.addEventListener('abort', abort, { once: true })
  let failure: Error | undefined
  const closed = new Promise<void>((resolve, reject) => {
    socket.on('close', (code) => {
      if (failure !== undefined) reject(failure)
      else if (code === 1000 || code === 1001 || code === 1005) resolve()
      else reject(new AppError('LINK_LOST', `the link to the relay broke (${code})`, { details: { code } }))
    })
  })
  // Whoever waits for it gets the rejection; that nobody waits yet is no fault.
  closed.catch(() => {})
  receiveInOrder(socket, onMessage, (error) => {
    failure ??= error
    socket.terminate()
  })
  try {
    await opened(socket)
  } finally {
    signal.removeEventListener('abort', abort)
  }
  return {
    get isOpen() {
      return socket.readyState === WebSocket.OPEN
    },
    closed,
    send: async (data) => {
      if (socket.readyState !== WebSocket.OPEN)
        throw new AppError('LINK_LOST', 'the link to the relay is gone')
      await new Promise<void>((resolve, reject) => {
        socket.send(data, (error) => {
          if (error instanceof Error)
            reject(new AppError('LINK_LOST', 'the link to the relay is gone', { cause: error }))
          else resolve()
        })
        if (socket.bufferedAmount < maxBufferedBytes) resolve()
      })
    },
    close: async () => {
      socket.close(1000)
      await closed.catch(() => {})
    },
  }
}

/** Reads on only as fast as what was read can be put away. */
function receiveInOrder(
  socket: WebSocket,
  onMessage: DialOptions['onMessage'],
  onFailure: (error: Error) => void,
): void {
  let last = Promise.resolve()
  let waiting = 0
  socket.on('message', (data, isBinary) => {
    waiting += 1
    if (waiting === 64) socket.pause()
    last = last
      .then(() => onMessage(data as Buffer, isBinary))
      .catch((error: unknown) => onFailure(error instanceof Error ? error : new Error(String(error))))
      .then(() => {
        waiting -= 1
        if (waiting < 64 && socket.isPaused) socket.resume()
      })
  })
}

async function opened(socket: WebSocket): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('unexpected-response', (_request, response) => {
      response.resume()
      socket.terminate()
      reject(new AppError('LINK_REFUSED', `the relay refused the websocket (${response.statusCode ?? 0})`))
    })
    socket.on('error', (cause) =>
      reject(new AppError('LINK_FAILED', 'the relay cannot be reached', { cause })),
    )
  })
}
