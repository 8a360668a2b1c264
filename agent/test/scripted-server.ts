import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { eventually } from './eventually.ts'

export interface Post {
  readonly path: string
  readonly authorization: string | undefined
  readonly headers: IncomingMessage['headers']
}

export interface ReceivedMessage {
  readonly data: Buffer
  readonly binary: boolean
}

/** One websocket of an uplink, seen from the relay. */
export class RelayPeer {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly messages: ReceivedMessage[] = []
  readonly socket: Socket
  readonly websocket: WebSocket
  closeCode: number | undefined

  constructor(websocket: WebSocket, socket: Socket, request: IncomingMessage) {
    this.websocket = websocket
    this.socket = socket
    this.path = request.url ?? ''
    this.headers = request.headers
    websocket.on('error', () => undefined)
    websocket.on('message', (data: Buffer, binary: boolean) => void this.messages.push({ data, binary }))
    websocket.on('close', (code: number) => {
      this.closeCode = code
    })
  }

  get texts(): readonly string[] {
    return this.messages.map(({ data }) => data.toString())
  }
}

export type AccessAnswer = (post: Post, response: ServerResponse) => void
export type UpgradeAnswer = (request: IncomingMessage, socket: Duplex) => 'accept' | 'answered'

/**
 * Access API and relay of a test in one server on a port of its own: it plays the relay as well as every fault that
 * the real one cannot have.
 */
export class ScriptedServer {
  readonly posts: Post[] = []
  readonly peers: RelayPeer[] = []
  /** Answers a POST; by default with an address and a fresh code. */
  onPost: AccessAnswer
  /** Looks at an upgrade; by default it is accepted. */
  onUpgrade: UpgradeAnswer = () => 'accept'
  readonly #server: Server
  readonly #websockets: WebSocketServer
  readonly #sockets = new Set<Socket>()
  #codes = 0

  private constructor({ autoPong }: { readonly autoPong: boolean }) {
    this.onPost = (post, response) => response.end(JSON.stringify({ uri: this.freshAddress(post.path) }))
    this.#websockets = new WebSocketServer({ noServer: true, autoPong, perMessageDeflate: false })
    this.#server = createServer((request, response) => {
      const post = {
        path: request.url ?? '',
        authorization: request.headers.authorization,
        headers: request.headers,
      }
      this.posts.push(post)
      this.onPost(post, response)
    })
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => this.#sockets.delete(socket))
    })
    this.#server.on('upgrade', (request, socket: Duplex, head) => {
      if (this.onUpgrade(request, socket) === 'answered') return
      this.#websockets.handleUpgrade(request, socket, head, (websocket) => {
        this.peers.push(new RelayPeer(websocket, socket as Socket, request))
      })
    })
  }

  static async open({ port = 0, autoPong = true } = {}): Promise<ScriptedServer> {
    const scripted = new ScriptedServer({ autoPong })
    await new Promise<void>((resolve) => scripted.#server.listen(port, '127.0.0.1', resolve))
    return scripted
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get access(): string {
    return `http://127.0.0.1:${this.port}/access`
  }

  freshAddress(path: string, host = `127.0.0.1:${this.port}`): string {
    this.#codes += 1
    return `ws://${host}/relay${path.replace('/access', '')}?code=secret-code-${this.#codes}`
  }

  /** The newest connection, when there are `count` of them. */
  async peer(count = this.peers.length + 1): Promise<RelayPeer> {
    await eventually(() => this.peers.length >= count, { show: () => ({ posts: this.posts.length }) })
    const peer = this.peers[count - 1]
    if (peer === undefined) throw new Error('no peer')
    return peer
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
