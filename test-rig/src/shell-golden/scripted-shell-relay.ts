import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { acceptKey } from '../golden/websocket-dial.ts'
import { WebsocketPeer } from '../golden/websocket-peer.ts'
import { Mailbox } from '../golden/mailbox.ts'
import { loopback } from '../golden/raw-http.ts'

/** A request that waits for the answer of the case. */
export interface HeldRequest {
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
  readonly atMs: number
  /** Who sent it has given up. */
  isGone(): boolean
  answer(status: number, body: string): void
  /** Makes a websocket of it; without a subprotocol, as old relays do, unless one is selected. */
  upgrade(protocol?: string): WebsocketPeer
  /** Ends the connection without an answer. */
  cut(): void
}

/** Plays the relay towards a host or client under test: it keeps every request until the case answers it. */
export class ScriptedShellRelay {
  readonly #server = createServer((request, response) => void this.#onRequest(request, response))
  readonly #sockets = new Set<Socket>()
  readonly #mailboxes = new Map<string, Mailbox<HeldRequest>>()
  readonly #arrived: string[] = []
  #taken = 0

  constructor() {
    this.#server.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket as Socket, head))
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket)).on('error', () => {})
    })
  }

  async start(port: number): Promise<void> {
    const listening = Promise.withResolvers<void>()
    this.#server.once('error', listening.reject).listen(port, loopback, listening.resolve)
    await listening.promise
  }

  /** The next one with that method and path; undefined when none comes in time. */
  async take(request: string, withinMs: number): Promise<HeldRequest | undefined> {
    const taken = await this.#mailbox(request).take(withinMs)
    if (taken !== undefined) this.#taken += 1
    return taken
  }

  /** Requests that no step took, as far as one is waiting. */
  get waiting(): readonly string[] {
    return this.#arrived.length > this.#taken ? this.#arrived.slice(-3) : []
  }

  async stop(): Promise<void> {
    const closed = Promise.withResolvers<void>()
    this.#server.close(() => closed.resolve())
    for (const socket of this.#sockets) socket.destroy()
    await closed.promise
  }

  #mailbox(request: string): Mailbox<HeldRequest> {
    const mailbox = this.#mailboxes.get(request) ?? new Mailbox<HeldRequest>()
    this.#mailboxes.set(request, mailbox)
    return mailbox
  }

  #put(request: IncomingMessage, held: HeldRequest): void {
    const line = `${request.method ?? ''} ${request.url ?? ''}`
    this.#arrived.push(line)
    this.#mailbox(line).put(held)
  }

  async #onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const atMs = performance.now()
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += String(chunk)
    this.#put(request, {
      headers: headersOf(request),
      body,
      atMs,
      isGone: () => request.socket.destroyed,
      answer: (status, text) => {
        response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(text)
      },
      upgrade: () => {
        throw new TypeError('not a request to upgrade')
      },
      cut: () => request.socket.destroy(),
    })
  }

  #onUpgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    this.#put(request, {
      headers: headersOf(request),
      body: '',
      atMs: performance.now(),
      isGone: () => socket.destroyed,
      answer: (status, text) => {
        const length = String(Buffer.byteLength(text))
        socket.end(
          `HTTP/1.1 ${String(status)} Refused\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n${text}`,
        )
      },
      upgrade: (protocol) => {
        socket.setNoDelay(true)
        const key = acceptKey(request.headers['sec-websocket-key'] ?? '')
        const selected = protocol === undefined ? '' : `Sec-WebSocket-Protocol: ${protocol}\r\n`
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n${selected}\r\n`,
        )
        return new WebsocketPeer(socket, { isClient: false, autoPong: true, head })
      },
      cut: () => socket.destroy(),
    })
  }
}

function headersOf(request: IncomingMessage): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(request.headers).map(([name, value]) => [name, [value].flat().join(', ')] as const),
  )
}
