import { randomFillSync } from 'node:crypto'
import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { type ClientOptions, WebSocket } from 'ws'
import type { Clock } from '../clock.ts'
import { AppError } from '../errors.ts'
import { exchangeToken } from '../exchange-token.ts'
import { type Environment, proxyAgent } from '../proxy.ts'
import type { LinkReceiver } from './tunnel-link.ts'
import { MAX_ACCEPTED_MESSAGE_BYTES, TUNNEL_PROTOCOL } from './tunnel-protocol.ts'
import { WebsocketLink } from './websocket-link.ts'

export interface OpenLinkOptions {
  /** For the proxy, the connection, TLS and the upgrade. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** Of the process, for its proxy. */
  readonly environment: Environment
  readonly clock: Pick<Clock, 'after'>
  /** Takes what comes from the first byte on: it may come in the same packet as the 101. */
  readonly receiver: LinkReceiver
  readonly userAgent?: string
  /** Does not offer `relay-tunnel.1`: all messages are bytes then, of any length. Default: it does. */
  readonly isPlain?: boolean
}

export interface DialLinkOptions extends OpenLinkOptions {
  /** Access address with the id: `https://…/shell/<id>` or `https://…/api/v1/connect/<id>`. */
  readonly access: string
  readonly token: string
}

/** What is sent when closing may take so long, on a slow line too. */
const closeWithinMs = 10_000

/**
 * Swaps the token for an address and opens a link there.
 * @throws {AppError} those of `exchangeToken` and of `openLink`.
 */
export async function dialLink(options: DialLinkOptions): Promise<WebsocketLink> {
  const uri = await exchangeToken(options)
  return await openLink(uri, options)
}

/**
 * Opens a link at a one-time address. Offers `relay-tunnel.1`; an old relay selects nothing, which is not an error
 * (`isTunnel` tells). No compression, no origin.
 * @throws {AppError} `RELAY_UNREACHABLE`, `RELAY_REFUSED` (it answered with a status, in `details`), `ABORTED`.
 */
export function openLink(uri: string, options: OpenLinkOptions): Promise<WebsocketLink> {
  const { signal } = options
  return new Promise((resolve, reject) => {
    const masking = { isPlain: false }
    const socket = new WebSocket(uri, clientOptions(uri, options, masking))
    let failure: AppError | undefined
    let selected: string | undefined
    let tcp: Duplex | undefined
    const abort = (): void => {
      failure ??= new AppError('ABORTED', 'dialling was given up')
      socket.terminate()
    }
    const failed = (error: Error): void => {
      failure ??= new AppError('RELAY_UNREACHABLE', 'the relay cannot be reached', { cause: error })
    }
    const closed = (code: number): void => {
      signal.removeEventListener('abort', abort)
      reject(
        failure ?? new AppError('RELAY_UNREACHABLE', `the relay closed the connection at once (${code})`),
      )
    }
    signal.addEventListener('abort', abort, { once: true })
    socket.on('upgrade', ({ headers, socket: connection }) => {
      tcp = connection
      // The library refuses a relay that selects nothing although something was offered, which RFC 6455 4.1 leaves to
      // the client; so the header was set by hand, and its answer is kept from the library.
      selected = headers['sec-websocket-protocol']
      delete headers['sec-websocket-protocol']
    })
    socket.on('unexpected-response', (_request, response) => {
      const status = response.statusCode ?? 0
      failure = new AppError('RELAY_REFUSED', `the relay refused the connection (${status})`, {
        details: { status },
      })
      response.destroy()
      socket.terminate()
    })
    socket.on('error', failed)
    socket.on('close', closed)
    socket.on('open', () => {
      signal.removeEventListener('abort', abort)
      socket.off('error', failed)
      socket.off('close', closed)
      const isTunnel = selected === TUNNEL_PROTOCOL
      masking.isPlain = isTunnel && isProtected(uri)
      resolve(new WebsocketLink(socket, { clock: options.clock, receiver: options.receiver, isTunnel, tcp }))
    })
    if (signal.aborted) abort()
  })
}

function clientOptions(
  uri: string,
  { timeoutMs, signal, environment, userAgent = 'relay-shell', isPlain = false }: OpenLinkOptions,
  masking: { readonly isPlain: boolean },
): ClientOptions {
  const agent = proxyAgent(uri, { environment, timeoutMs, signal })
  // `closeTimeout` is not in the type package yet.
  const options: ClientOptions & { readonly closeTimeout: number } = {
    perMessageDeflate: false,
    skipUTF8Validation: true,
    maxPayload: MAX_ACCEPTED_MESSAGE_BYTES,
    handshakeTimeout: timeoutMs,
    closeTimeout: closeWithinMs,
    followRedirects: false,
    headers: { 'user-agent': userAgent, ...(isPlain ? {} : { 'sec-websocket-protocol': TUNNEL_PROTOCOL }) },
    generateMask: (key) => {
      if (!masking.isPlain) randomFillSync(key)
      // It is the same buffer each time: zero once is zero.
      else if (key[0] !== 0 || key[1] !== 0 || key[2] !== 0 || key[3] !== 0) key.fill(0)
    },
    ...(agent === undefined ? {} : { agent }),
  }
  return options
}

/**
 * Whether no intermediary can read what goes over a link to `uri`: TLS, or this very machine. There the masking key is
 * zero, which spares both ends one pass over every byte (measured: 3.1 times the CPU of plain TCP with random keys, 1.1
 * times with zero ones). RFC 6455 5.3 asks for an unpredictable key, for the one reason of 10.3: a script in a browser
 * must not choose bytes that a cleartext proxy takes for HTTP. Here are no browser, no script of a stranger and no
 * cleartext proxy, and the relay has shown that it is ours. Every other link is masked as the RFC says.
 */
function isProtected(uri: string): boolean {
  const { protocol, hostname } = new URL(uri)
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  return (
    protocol === 'wss:' ||
    host === 'localhost' ||
    host === '::1' ||
    (isIP(host) === 4 && host.startsWith('127.'))
  )
}
