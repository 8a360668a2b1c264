import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'

/** Whose words it speaks: an old relay selects no subprotocol. */
export type RelayKind = 'old' | 'ours'

export interface Asked {
  readonly path: string
  readonly token: string
}

const patienceMs = 60_000

/** The relay's end of one websocket, with all that the host said on it. */
export class Wire {
  readonly path: string
  readonly socket: WebSocket
  readonly headers: IncomingMessage['headers']
  readonly #messages: { readonly data: Buffer; readonly isBinary: boolean }[] = []
  /** Close code, once it is closed. */
  closed: number | undefined
  #wake: () => void = () => undefined

  constructor(socket: WebSocket, { url = '', headers }: IncomingMessage) {
    this.socket = socket
    this.path = url
    this.headers = headers
    socket.on('message', (data: Buffer, isBinary) => {
      this.#messages.push({ data, isBinary })
      this.#wake()
    })
    socket.on('error', () => undefined)
    socket.on('close', (code) => {
      this.closed = code
      this.#wake()
    })
  }

  say(message: object): void {
    this.socket.send(JSON.stringify(message))
  }

  send(data: Buffer | string): void {
    this.socket.send(Buffer.from(data), { binary: true })
  }

  /** The next control message. Acknowledgements are left out. */
  async heard(type: string): Promise<Readonly<Record<string, unknown>>> {
    for (;;) {
      const { data, isBinary } = await this.#next(`a message of type ${type}`)
      if (isBinary || data.toString().startsWith('a')) continue
      const message = JSON.parse(data.toString()) as Readonly<Record<string, unknown>>
      if (message['type'] === type) return message
    }
  }

  /** So many bytes of the stream, however they are cut. */
  async bytes(length: number): Promise<Buffer> {
    const parts: Buffer[] = []
    let got = 0
    while (got < length) {
      const { data, isBinary } = await this.#next(`${length} bytes, of which ${got} came`)
      if (!isBinary) continue
      parts.push(data)
      got += data.length
    }
    return Buffer.concat(parts)
  }

  /** The next message as it is. */
  async message(): Promise<{ readonly data: Buffer; readonly isBinary: boolean }> {
    return await this.#next('a message')
  }

  async whenClosed(): Promise<number> {
    await this.#until(() => this.closed !== undefined, 'its end')
    return this.closed ?? 0
  }

  async #next(what: string): Promise<{ readonly data: Buffer; readonly isBinary: boolean }> {
    await this.#until(() => this.#messages.length > 0 || this.closed !== undefined, what)
    const message = this.#messages.shift()
    if (message === undefined)
      throw new Error(`the host closed ${this.path} with ${this.closed} before ${what}`)
    return message
  }

  async #until(isTrue: () => boolean, what: string): Promise<void> {
    const deadlineMs = performance.now() + patienceMs
    while (!isTrue()) {
      const leftMs = deadlineMs - performance.now()
      if (leftMs <= 0) throw new Error(`on ${this.path} there was not ${what} within ${patienceMs} ms`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(leftMs, 500))
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }
}

/** A shell relay as far as one host sees it: access API, and websockets that the test serves by hand. */
export class FakeRelay implements AsyncDisposable {
  readonly asked: Asked[] = []
  /** Answers in place of an address, the next one first. */
  readonly refusals: { readonly status: number; readonly body: string }[] = []
  readonly #kind: RelayKind
  readonly #http = createServer((request, response) => this.#answer(request, response))
  readonly #websockets: WebSocketServer
  readonly #sockets = new Set<Socket>()
  readonly #wires: Wire[] = []
  #wake: () => void = () => undefined
  #codes = 0
  /** For the websockets of links: they are refused with this status. */
  refuseLinks = 0

  private constructor(kind: RelayKind) {
    this.#kind = kind
    this.#websockets = new WebSocketServer({
      noServer: true,
      handleProtocols: (offered) =>
        this.#kind === 'ours' && offered.has('relay-tunnel.1') ? 'relay-tunnel.1' : false,
    })
    this.#http.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
    this.#http.on('upgrade', (request, socket: Socket, head) => {
      const isLink = (request.url ?? '').split('?')[0]?.split('/').length === 4
      if (isLink && this.refuseLinks > 0) {
        socket.end(`HTTP/1.1 ${this.refuseLinks} No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`)
        return
      }
      this.#websockets.handleUpgrade(request, socket, head, (websocket) => {
        this.#wires.push(new Wire(websocket, request))
        this.#wake()
      })
    })
  }

  static async start(kind: RelayKind = 'ours', port = 0): Promise<FakeRelay> {
    const relay = new FakeRelay(kind)
    relay.#http.listen(port, '127.0.0.1')
    await once(relay.#http, 'listening')
    return relay
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port
  }

  /** Session address of `pend00`. */
  get access(): string {
    return `http://127.0.0.1:${this.port}/shell/pend00`
  }

  /** The next websocket of the host: its manager, or a link. */
  async wire(): Promise<Wire> {
    const deadlineMs = performance.now() + patienceMs
    for (;;) {
      const wire = this.#wires.shift()
      if (wire !== undefined) return wire
      if (performance.now() > deadlineMs) throw new Error(`the host did not dial within ${patienceMs} ms`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 500)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  /** How many websockets of the host nobody has taken yet. */
  get waiting(): number {
    return this.#wires.length
  }

  linkUri(): string {
    this.#codes += 1
    return `ws://127.0.0.1:${this.port}/shell/pend00/c${this.#codes}?code=k${this.#codes}`
  }

  /** Sends a client to the host, as a relay does; gives the uuid and the host's link. */
  async client(manager: Wire, more: object = {}): Promise<{ readonly uuid: string; readonly link: Wire }> {
    const uri = this.linkUri()
    const uuid = `uuid-${this.#codes}`
    manager.say({ action: 'connect', uri, uuid, ...more })
    const link = await this.wire()
    return { uuid, link }
  }

  #answer({ method, url = '', headers }: IncomingMessage, response: ServerResponse): void {
    if (method !== 'POST') {
      response.writeHead(405).end('{"code":405,"message":"method GET is not allowed, but [POST] are"}')
      return
    }
    this.asked.push({ path: url, token: headers.authorization ?? '' })
    const refusal = this.refusals.shift()
    if (refusal !== undefined) {
      response.writeHead(refusal.status, { 'content-type': 'application/json' }).end(refusal.body)
      return
    }
    this.#codes += 1
    const uri = `ws://127.0.0.1:${this.port}/shell/pend00?code=m${this.#codes}`
    response.writeHead(200, { 'content-type': 'application/json' }).end(`${JSON.stringify({ uri })}\n`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#websockets.close()
    this.#http.close()
    for (const socket of this.#sockets) socket.destroy()
    if (this.#http.listening) await once(this.#http, 'close')
  }
}
