import { createServer, type IncomingMessage, STATUS_CODES, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Clock } from '@relay/common/clock'
import { listen } from '@relay/common/listen'
import type { Log } from '@relay/common/log'
import type { OneTimeCodes } from '@relay/common/one-time-codes'
import type { ClientAddress } from '../client-address.ts'
import type { BookingLists } from './booking-lists.ts'
import type { Exchange } from './exchange.ts'
import { isCurrent, type Permission } from './permission.ts'
import {
  movedAnswer,
  type PlainAnswer,
  plainAnswers,
  type RefusalReason,
  refusalReasons,
} from './plain-answer.ts'
import { type RelayPath, readRelayPath, servesTopic } from './relay-path.ts'
import { Upgrader } from './relay-socket.ts'

export interface RelayServerOptions {
  readonly port: number
  /** Undefined: every address. */
  readonly host: string | undefined
  /** A socket that listens already, in place of host and port. */
  readonly fd: number | undefined
  readonly maxConnections: number
  readonly maxConnectionsPerSubject: number
}

export interface RelayServerDeps {
  readonly clock: Clock
  readonly log: Log
  readonly codes: OneTimeCodes<Permission>
  readonly bookings: BookingLists
  readonly exchange: Exchange
  readonly clientAddress: ClientAddress
  /** Whether the key that signed a permission is still valid. */
  readonly isKeyValid: (keyId: string) => boolean
}

const maxHeaderBytes = 16_384
const headersTimeoutMs = 10_000
/** Of what a peer says about itself, this much is kept for reports. */
const maxPeerText = 512
/** How long a refused peer may take to read the answer. */
const lingerMs = 2000
/** Sockets that are no websocket yet, on top of the websockets. */
const spareSockets = 1024

/** The websocket port (spec session 6.1): codes are exchanged before the upgrade, all else gets a plain answer. */
export class RelayServer {
  readonly refused: Record<RefusalReason, number>
  readonly #options: RelayServerOptions
  readonly #deps: RelayServerDeps
  readonly #upgrader = new Upgrader()
  readonly #server: Server
  #isDraining = false

  constructor(options: RelayServerOptions, deps: RelayServerDeps) {
    this.#options = options
    this.#deps = deps
    this.refused = Object.fromEntries(refusalReasons.map((reason) => [reason, 0])) as Record<
      RefusalReason,
      number
    >
    this.#server = createServer(
      {
        maxHeaderSize: maxHeaderBytes,
        headersTimeout: headersTimeoutMs,
        requestTimeout: headersTimeoutMs * 2,
        connectionsCheckingInterval: 2000,
        keepAliveTimeout: 15_000,
        noDelay: true,
      },
      (request, response) => this.#answer(request, response),
    )
    this.#server.maxConnections = options.maxConnections + spareSockets
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
    this.#server.on('clientError', (error, socket) => answerClientError(error, socket))
  }

  /** @throws {UnavailableError} when the port cannot be had. */
  async listen(): Promise<number> {
    const { port, host, fd } = this.#options
    return await listen(this.#server, { port, host, fd, what: 'the websocket relay' })
  }

  /** No new websocket from here on, and no new socket at all. Those that are open stay. */
  stopAccepting(): void {
    this.#isDraining = true
    this.#server.close()
    this.#server.closeIdleConnections()
  }

  /** Cuts what is left. */
  close(): void {
    this.stopAccepting()
    this.#server.closeAllConnections()
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const answer = plainAnswerTo(readRelayPath(request.url ?? '/')) ?? plainAnswers.badRequest
    const { status, body, headers } = renderAnswer(answer, request.method ?? 'GET')
    request.resume()
    response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) })
    response.end(request.method === 'HEAD' ? '' : body)
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', ignore)
    const path = readRelayPath(request.url ?? '/')
    const refusal = plainAnswerTo(path) ?? badHandshake(request)
    if (refusal !== undefined || path.kind !== 'session') {
      this.#refuse(request, socket, refusal ?? plainAnswers.notFound)
      return
    }
    const permission = this.#exchangeCode(path.topic, path.code)
    if ('status' in permission) {
      this.#refuse(request, socket, permission)
      return
    }
    const tcp = socket as Socket
    const forwardedFor = headerText(request.headers['x-forwarded-for'])
    const peer = {
      remoteAddr: this.#deps.clientAddress
        .reported(tcp.remoteAddress ?? '', forwardedFor)
        .slice(0, maxPeerText),
      userAgent: (request.headers['user-agent'] ?? '').slice(0, maxPeerText),
    }
    socket.off('error', ignore)
    this.#upgrader.upgrade(request, socket, head, (websocket) => {
      this.#deps.exchange.join({ socket: websocket, tcp, permission, peer })
    })
  }

  /** Uses the code up and gives its permission, or says why not. All in one turn, so that no denial comes between. */
  #exchangeCode(topic: string, code: string): Permission | PlainAnswer {
    const { exchange, codes, bookings, clock, isKeyValid } = this.#deps
    if (this.#isDraining) return plainAnswers.draining
    if (exchange.connections.size >= this.#options.maxConnections) return plainAnswers.tooMany
    const permission = codes.exchange(code)
    if (permission === undefined) return plainAnswers.badCode
    if (!servesTopic(topic, permission.topic)) return plainAnswers.wrongTopic
    if (!isCurrent(permission, clock.nowMs())) return plainAnswers.noLongerValid
    if (permission.keyId !== undefined && !isKeyValid(permission.keyId)) return plainAnswers.noLongerValid
    if (bookings.isDenied(permission.bookingId)) return plainAnswers.denied
    if (exchange.countOfSubject(permission.subject) >= this.#options.maxConnectionsPerSubject) {
      return plainAnswers.tooManyOfSubject
    }
    return permission
  }

  #refuse(request: IncomingMessage, socket: Duplex, answer: PlainAnswer): void {
    if (answer.refusal !== undefined) {
      this.refused[answer.refusal] += 1
      this.#deps.log.debug({ reason: answer.refusal }, 'upgrade refused')
    }
    const { status, body, headers } = renderAnswer(answer, request.method ?? 'GET')
    writeRaw(socket, status, { ...headers, Connection: 'close' }, body)
  }
}

function ignore(): void {}

/** The answer that the path alone decides; undefined where a websocket may begin. Pure. */
function plainAnswerTo(path: RelayPath): PlainAnswer | undefined {
  if (path.kind === 'bad-escape') return plainAnswers.badEscape
  if (path.kind === 'not-found') return plainAnswers.notFound
  return path.kind === 'moved' ? movedAnswer(path.location) : undefined
}

/** What is wrong with the handshake itself (RFC 6455 4.2.1); checked here so that every answer is ours. Pure. */
function badHandshake({ method, headers }: IncomingMessage): PlainAnswer | undefined {
  const isValid =
    (headers.upgrade ?? '').toLowerCase() === 'websocket' &&
    headers['sec-websocket-version'] === '13' &&
    /^[+/0-9A-Za-z]{22}==$/.test(headers['sec-websocket-key'] ?? '')
  if (!isValid) return plainAnswers.badRequest
  return method === 'GET' ? undefined : plainAnswers.methodNotAllowed
}

interface RenderedAnswer {
  readonly status: number
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

/** Go's redirect has a small page for GET and HEAD and no body else; all other answers are text with a newline. */
function renderAnswer({ status, text, headers = {} }: PlainAnswer, method: string): RenderedAnswer {
  if (status !== 301) {
    return {
      status,
      body: `${text}\n`,
      headers: {
        'Content-Type': 'text/plain; charset=utf-8',
        'X-Content-Type-Options': 'nosniff',
        ...headers,
      },
    }
  }
  const hasPage = method === 'GET' || method === 'HEAD'
  const href = (headers['Location'] ?? '').replaceAll('&', '&amp;').replaceAll('"', '&#34;')
  return {
    status,
    body: hasPage ? `<a href="${href}">${text}</a>.\n\n` : '',
    headers: { ...(hasPage ? { 'Content-Type': 'text/html; charset=utf-8' } : {}), ...headers },
  }
}

/** Answers on a bare socket and closes it, at the latest after a short while. */
function writeRaw(
  socket: Duplex,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string,
): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
  // What the peer still sends is thrown away; without reading, the close would reset the answer.
  socket.resume()
  const timer = setTimeout(() => socket.destroy(), lingerMs)
  socket.once('close', () => clearTimeout(timer))
}

/** What cannot be read as a request at all: the status in words, as Go answers, and the end of the connection. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const status = clientErrorStatus(error.code)
  writeRaw(
    socket,
    status,
    { 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' },
    `${status} ${STATUS_CODES[status] ?? ''}`,
  )
}

function clientErrorStatus(code: string | undefined): number {
  if (code === 'HPE_HEADER_OVERFLOW') return 431
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
}

function headerText(value: string | readonly string[] | undefined): string {
  return typeof value === 'string' ? value : (value?.join(', ') ?? '')
}
