import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { listen } from '../../listen.ts'
import type { Log } from '../../log.ts'
import { answerClientError, writeRawAnswer } from '../answer-client-error.ts'
import type { ClientAddress } from '../client-address.ts'
import { movedAnswer, type PlainAnswer, plainAnswers } from './plain-answer.ts'
import type { EchoingSocket, Upgrader } from './upgrader.ts'
import { readWebsocketPath, type WebsocketAddress, type WebsocketPath } from './websocket-path.ts'

export interface WebsocketPortOptions {
  readonly port: number
  /** Undefined: every address. */
  readonly host: string | undefined
  /** A socket that listens already, in place of host and port. */
  readonly fd: number | undefined
  /** Most websockets; sockets that are none yet are taken on top of them. */
  readonly maxConnections: number
  /** First segments of the paths that are served. */
  readonly prefixes: readonly string[]
  /** Names of all refusals that `admit` may give, for the counter. */
  readonly refusals: readonly string[]
}

/** Who asks for a websocket, as far as the upgrade request says. */
export interface Peer {
  /** `X-Forwarded-For` of a trusted proxy, else ''. */
  readonly remoteAddr: string
  readonly userAgent: string
  /** Where the request really comes from: the client before the proxies, else the peer. */
  readonly address: string
}

/** A websocket that has just been opened; nothing of it has been read. */
export interface Joining<P, S> {
  readonly socket: S
  readonly tcp: Socket
  readonly permission: P
  readonly peer: Peer
}

export interface WebsocketPortDeps<P extends object, S extends EchoingSocket> {
  readonly log: Log
  readonly clientAddress: ClientAddress
  readonly upgrader: Upgrader<S>
  /** Uses the code of an address up and gives what it stands for, or says why not. In one turn with `join`. */
  readonly admit: (address: WebsocketAddress, peer: Peer) => P | PlainAnswer
  readonly join: (joining: Joining<P, S>) => void
}

const maxHeaderBytes = 16_384
const headersTimeoutMs = 10_000
/** Of what a peer says about itself, this much is kept for reports. */
const maxPeerText = 512
/** Sockets that are no websocket yet, on top of the websockets. */
const spareSockets = 1024

/** A websocket port (spec session 6.1): codes are exchanged before the upgrade, all else gets a plain answer. */
export class WebsocketPort<P extends object, S extends EchoingSocket> {
  /** Refused upgrades since the start, by reason. */
  readonly refused: Record<string, number>
  readonly #options: WebsocketPortOptions
  readonly #deps: WebsocketPortDeps<P, S>
  readonly #server: Server
  #isDraining = false

  constructor(options: WebsocketPortOptions, deps: WebsocketPortDeps<P, S>) {
    this.#options = options
    this.#deps = deps
    this.refused = Object.fromEntries(options.refusals.map((reason) => [reason, 0]))
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
    const answer = plainAnswerTo(this.#pathOf(request)) ?? plainAnswers.badRequest
    const { status, body, headers } = renderAnswer(answer, request.method ?? 'GET')
    request.resume()
    response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) })
    response.end(request.method === 'HEAD' ? '' : body)
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', ignore)
    const path = this.#pathOf(request)
    const refusal = plainAnswerTo(path) ?? badHandshake(request)
    if (refusal !== undefined || path.kind !== 'websocket') {
      this.#refuse(request, socket, refusal ?? plainAnswers.notFound)
      return
    }
    const tcp = socket as Socket
    const peer = this.#peerOf(request, tcp)
    const permission = this.#isDraining ? plainAnswers.draining : this.#deps.admit(path, peer)
    if (isAnswer(permission)) {
      this.#refuse(request, socket, permission)
      return
    }
    socket.off('error', ignore)
    this.#deps.upgrader.upgrade(request, socket, head, (websocket) => {
      this.#deps.join({ socket: websocket, tcp, permission, peer })
    })
  }

  #pathOf(request: IncomingMessage): WebsocketPath {
    return readWebsocketPath(request.url ?? '/', this.#options.prefixes)
  }

  #peerOf({ headers }: IncomingMessage, tcp: Socket): Peer {
    const { clientAddress } = this.#deps
    const forwardedFor = headerText(headers['x-forwarded-for'])
    const socketAddress = tcp.remoteAddress ?? ''
    return {
      remoteAddr: clientAddress.reported(socketAddress, forwardedFor).slice(0, maxPeerText),
      userAgent: (headers['user-agent'] ?? '').slice(0, maxPeerText),
      address: clientAddress.of(socketAddress, forwardedFor),
    }
  }

  #refuse(request: IncomingMessage, socket: Duplex, answer: PlainAnswer): void {
    if (answer.refusal !== undefined) {
      this.refused[answer.refusal] = (this.refused[answer.refusal] ?? 0) + 1
      this.#deps.log.debug({ reason: answer.refusal }, 'upgrade refused')
    }
    const { status, body, headers } = renderAnswer(answer, request.method ?? 'GET')
    writeRawAnswer(socket, status, { ...headers, Connection: 'close' }, body)
  }
}

function ignore(): void {}

function isAnswer(value: object): value is PlainAnswer {
  return 'status' in value && 'text' in value
}

/** The answer that the path alone decides; undefined where a websocket may begin. Pure. */
function plainAnswerTo(path: WebsocketPath): PlainAnswer | undefined {
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

function headerText(value: string | readonly string[] | undefined): string {
  return typeof value === 'string' ? value : (value?.join(', ') ?? '')
}
