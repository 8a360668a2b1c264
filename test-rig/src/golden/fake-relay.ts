import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { lowerCaseHeaders, withoutQuery } from './fake-access.ts'
import { Mailbox } from './mailbox.ts'
import { loopback } from './raw-http.ts'
import { acceptKey } from './websocket-dial.ts'
import { WebsocketPeer } from './websocket-peer.ts'

/** What the scripted relay does with a dial; one that is not named is accepted. */
export interface ScriptedDial {
  /** Refuse with this status. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Accept, and close with 1000 after this long. */
  readonly closeAfterMs?: number
}

export type RelayScript = Readonly<Record<string, ScriptedDial>>

/** A websocket that a host opened to us. */
export interface IncomingDial {
  /** With the query. */
  readonly path: string
  readonly headers: ReadonlyMap<string, string>
  readonly peer: WebsocketPeer
}

/** A relay that accepts, refuses or closes by script and hands over each websocket as a peer. */
export class FakeRelay {
  readonly #server: Server
  readonly #script: RelayScript
  readonly #sockets = new Set<Socket>()
  readonly #mailboxes = new Map<string, Mailbox<IncomingDial>>()
  readonly #seen: { readonly path: string; readonly atMs: number }[] = []

  constructor(script: RelayScript) {
    this.#script = script
    this.#server = createServer((_request, response) => response.writeHead(400).end())
    this.#server.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket as Socket, head))
  }

  /** Listens on a free port and returns the address without a path. */
  async start(): Promise<string> {
    const listening = Promise.withResolvers<void>()
    this.#server.once('error', listening.reject).listen(0, loopback, listening.resolve)
    await listening.promise
    return `ws://${loopback}:${String((this.#server.address() as AddressInfo).port)}`
  }

  /** The next websocket for the path that nobody has taken. */
  take(path: string, withinMs: number): Promise<IncomingDial | undefined> {
    return this.#mailbox(path).take(withinMs)
  }

  /** Moments of all dials for the path, refused ones included. */
  seenAtMs(path: string): readonly number[] {
    return this.#seen.filter((dial) => dial.path === path).map(({ atMs }) => atMs)
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    const closed = Promise.withResolvers<void>()
    this.#server.close(() => closed.resolve())
    this.#server.closeAllConnections()
    await closed.promise
  }

  #mailbox(path: string): Mailbox<IncomingDial> {
    const mailbox = this.#mailboxes.get(path) ?? new Mailbox<IncomingDial>()
    this.#mailboxes.set(path, mailbox)
    return mailbox
  }

  #onUpgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket)).on('error', () => {})
    const path = request.url ?? ''
    this.#seen.push({ path: withoutQuery(path), atMs: performance.now() })
    const script = this.#script[withoutQuery(path)] ?? {}
    if (script.status !== undefined) {
      socket.end(
        encodeAnswer(`${String(script.status)} Refused`, { ...script.headers, 'Content-Length': '0' }),
      )
      return
    }
    socket.setNoDelay(true)
    socket.write(
      encodeAnswer('101 Switching Protocols', {
        Upgrade: 'websocket',
        Connection: 'Upgrade',
        'Sec-WebSocket-Accept': acceptKey(request.headers['sec-websocket-key'] ?? ''),
      }),
    )
    const peer = new WebsocketPeer(socket, { isClient: false, autoPong: true, head })
    if (script.closeAfterMs !== undefined) closeLater(peer, script.closeAfterMs)
    this.#mailbox(withoutQuery(path)).put({ path, headers: lowerCaseHeaders(request), peer })
  }
}

function closeLater(peer: WebsocketPeer, afterMs: number): void {
  setTimeout(() => peer.close(1000), afterMs).unref()
}

function encodeAnswer(status: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status}\r\n${lines.join('')}\r\n`
}
