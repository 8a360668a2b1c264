import { AppError } from '@relay/common/errors'
import { type Environment, proxyAgent } from '@relay/common/proxy'
import { hostUserAgent, readReturn, readSpread } from '@relay/common/return-hint'
import { readViewers } from '@relay/common/viewers-hint'
import { type ClientOptions, WebSocket } from 'ws'
import type { Message } from '../feeds/feed-hub.ts'

/** An open connection to a relay, as far as an uplink needs it. */
export interface RelayLink {
  /** False as soon as either side has begun to close: what is sent then is lost. */
  readonly isOpen: boolean
  /** Bytes that this process still holds for it. */
  readonly bufferedBytes: number
  send(message: Message): void
  ping(payload: Buffer): void
  /** Closes with 1000; resolves when the socket is gone, cut off where the peer does not answer. */
  close(): Promise<void>
  /** Cuts it off at once. */
  terminate(): void
}

export interface LinkEvents {
  readonly onMessage: (message: Message) => void
  readonly onPong: (payload: Buffer) => void
  /** The relay tells over how long its hosts shall spread their return when it breaks off without a word. */
  readonly onReturnSpread?: (spreadMs: number) => void
  /** The relay tells how many others hear the topic. */
  readonly onViewers?: (count: number) => void
  /** Once, when the socket is gone; then nothing more comes. */
  readonly onClosed: (error: AppError) => void
}

export interface DialOptions {
  readonly handshakeTimeoutMs: number
  /** Of the process, for its proxy. */
  readonly environment: Environment
}

/** Opens a link; tests give one with faults. */
export type DialRelay = (
  uri: string,
  events: LinkEvents,
  options: DialOptions,
  signal: AbortSignal,
) => Promise<RelayLink>

/** Spec session 6.2. */
const maxMessageBytes = 10_485_760
/** A peer that does not answer our close frame is cut off after this. */
const closeGraceMs = 1_000

/**
 * Dials the websocket of a relay (spec session 7.6): no subprotocol, no origin, no compression, no check of UTF-8.
 * @throws {AppError} `RELAY_UNREACHABLE`, `RELAY_REFUSED` (it answered with a status), `ABORTED`.
 */
export const dialRelay: DialRelay = (uri, events, options, signal) =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(uri, clientOptions(uri, options, signal))
    let failure: AppError | undefined
    let isUp = false
    const abort = (): void => {
      failure ??= new AppError('ABORTED', 'dialling was given up')
      socket.terminate()
    }
    signal.addEventListener('abort', abort, { once: true })
    socket.on('unexpected-response', (_request, response) => {
      const status = response.statusCode ?? 0
      failure = new AppError('RELAY_REFUSED', `the relay refused the connection (${status})`, {
        details: { status },
      })
      response.destroy()
      socket.terminate()
    })
    socket.on('error', (cause) => {
      failure ??= isUp
        ? new AppError('RELAY_LOST', 'the connection to the relay broke', { cause })
        : new AppError('RELAY_UNREACHABLE', 'the relay cannot be reached', { cause })
    })
    socket.on('close', (code: number, reason: Buffer) => {
      signal.removeEventListener('abort', abort)
      const error = failure ?? closedError(code, reason.toString())
      if (isUp) events.onClosed(error)
      else reject(error)
    })
    // From the first byte on: the relay may speak in the same packet as its 101.
    socket.on('message', (data: Buffer, binary: boolean) => events.onMessage({ data, binary }))
    socket.on('pong', (payload) => events.onPong(payload))
    socket.on('ping', (payload) => {
      const spreadMs = readSpread(payload)
      if (spreadMs !== undefined) events.onReturnSpread?.(spreadMs)
      const viewers = readViewers(payload)
      if (viewers !== undefined) events.onViewers?.(viewers)
    })
    socket.on('open', () => {
      isUp = true
      signal.removeEventListener('abort', abort)
      resolve(linkOf(socket))
    })
    if (signal.aborted) abort()
  })

function clientOptions(
  uri: string,
  { handshakeTimeoutMs, environment }: DialOptions,
  signal: AbortSignal,
): ClientOptions {
  const agent = proxyAgent(uri, { environment, timeoutMs: handshakeTimeoutMs, signal })
  // `closeTimeout` is not in the type package yet.
  const options: ClientOptions & { readonly closeTimeout: number } = {
    perMessageDeflate: false,
    skipUTF8Validation: true,
    maxPayload: maxMessageBytes,
    handshakeTimeout: handshakeTimeoutMs,
    closeTimeout: closeGraceMs,
    followRedirects: false,
    headers: { 'user-agent': hostUserAgent },
    ...(agent === undefined ? {} : { agent }),
  }
  return options
}

/** 1006 stands for an end without a close frame (RFC 6455 7.1.5). */
function closedError(code: number, reason: string): AppError {
  if (code === 1006) return new AppError('RELAY_LOST', 'the relay or the network dropped the connection')
  const returnAfterMs = readReturn(reason)
  return new AppError('RELAY_CLOSED', `the relay closed the connection (code ${code})`, {
    details: { code, ...(returnAfterMs === undefined ? {} : { returnAfterMs }) },
  })
}

function linkOf(socket: WebSocket): RelayLink {
  return {
    get isOpen() {
      return socket.readyState === WebSocket.OPEN
    },
    get bufferedBytes() {
      return socket.bufferedAmount
    },
    send: ({ data, binary }) => socket.send(data, { binary, compress: false }),
    ping: (payload) => {
      if (socket.readyState === WebSocket.OPEN) socket.ping(payload)
    },
    close: () =>
      new Promise((resolve) => {
        if (socket.readyState === WebSocket.CLOSED) {
          resolve()
          return
        }
        socket.once('close', () => resolve())
        socket.close(1000)
        setTimeout(() => socket.terminate(), closeGraceMs).unref()
      }),
    terminate: () => socket.terminate(),
  }
}
