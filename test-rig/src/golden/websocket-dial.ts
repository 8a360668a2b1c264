import { createHash, randomBytes } from 'node:crypto'
import { AppError } from '@relay/common/errors'
import type { HttpResponse } from './http-response-parser.ts'
import { encodeRequestHead, type HeaderLine, openSocket, readResponse } from './raw-http.ts'
import { WebsocketPeer } from './websocket-peer.ts'

export interface DialOptions {
  /** `ws://127.0.0.1:port/path?query`; path and query are sent as written. */
  readonly address: string
  readonly protocols?: readonly string[]
  /** Offer permessage-deflate as browsers do. */
  readonly offerDeflate?: boolean
  readonly headers?: readonly HeaderLine[]
  readonly autoPong?: boolean
  readonly withinMs: number
}

export type DialOutcome =
  | { readonly kind: 'open'; readonly peer: WebsocketPeer; readonly response: HttpResponse }
  | { readonly kind: 'refused'; readonly response: HttpResponse }
  /** Closed, or silent, without an answer. */
  | { readonly kind: 'unanswered' }

/** Dials as an old client does: one TCP connection, one upgrade request, no User-Agent or Origin unless given. */
export async function dial(options: DialOptions): Promise<DialOutcome> {
  const { port, path } = splitAddress(options.address)
  const key = randomBytes(16).toString('base64')
  const socket = await openSocket(port, options.withinMs)
  socket.on('error', () => {})
  socket.write(encodeRequestHead({ port, method: 'GET', path, headers: upgradeHeaders(key, options) }))
  const outcome = await readResponse(socket, { isHead: false, withinMs: options.withinMs })
  if (outcome.kind !== 'answered') {
    socket.destroy()
    return { kind: 'unanswered' }
  }
  const { response } = outcome
  if (response.status !== 101) {
    socket.destroy()
    return { kind: 'refused', response }
  }
  if (response.headers.get('sec-websocket-accept') !== acceptKey(key)) {
    socket.destroy()
    throw new AppError('GOLDEN_WEBSOCKET', '101 with a wrong Sec-WebSocket-Accept')
  }
  const peer = new WebsocketPeer(socket, {
    isClient: true,
    autoPong: options.autoPong ?? true,
    head: response.rest,
  })
  return { kind: 'open', peer, response }
}

/** The answer to a Sec-WebSocket-Key (RFC 6455 section 4.2.2). */
export function acceptKey(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
}

/** Cuts an address without changing a character of its path. Throws `GOLDEN_ADDRESS` for one that is not ours. */
export function splitAddress(address: string): { readonly port: number; readonly path: string } {
  const hit = /^(?:ws|http):\/\/127\.0\.0\.1:(\d+)([/?][^]*)?$/.exec(address)
  const port = hit?.[1]
  if (port === undefined) {
    throw new AppError('GOLDEN_ADDRESS', `can only dial loopback with a port, not ${withoutQuery(address)}`)
  }
  const path = hit?.[2] ?? '/'
  return { port: Number(port), path: path.startsWith('/') ? path : `/${path}` }
}

function upgradeHeaders(key: string, options: DialOptions): readonly HeaderLine[] {
  const protocols = options.protocols?.join(', ')
  return [
    ['Upgrade', 'websocket'],
    ['Connection', 'Upgrade'],
    ['Sec-WebSocket-Key', key],
    ['Sec-WebSocket-Version', '13'],
    ...(protocols === undefined ? [] : [['Sec-WebSocket-Protocol', protocols] as const]),
    ...(options.offerDeflate === true
      ? [['Sec-WebSocket-Extensions', 'permessage-deflate; client_max_window_bits'] as const]
      : []),
    ...(options.headers ?? []),
  ]
}

function withoutQuery(address: string): string {
  return JSON.stringify(address.replace(/\?[^]*/, '?...'))
}
