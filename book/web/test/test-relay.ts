import { createServer, type IncomingMessage, type ServerResponse } from 'node:http' // oxlint-disable-line no-restricted-imports -- the far end of a test runs in Node
import type { AddressInfo } from 'node:net' // oxlint-disable-line no-restricted-imports -- the far end of a test runs in Node
import { type WebSocket, WebSocketServer } from 'ws'

/** What the access API of a {@link TestRelay} does with the next requests. */
export type AccessBehaviour =
  | 'address'
  | 'reset'
  | 'silence'
  | { readonly status: number; readonly body: string; readonly headers?: Readonly<Record<string, string>> }

/**
 * The far end of a link as session spec 4 to 6 describes it, with faults to order: one-time codes, a websocket per topic,
 * and a record of what came.
 */
export class TestRelay implements AsyncDisposable {
  access: AccessBehaviour = 'address'
  /** False: an upgrade is refused, with 403 as Node's own client repeats an upgrade that gets 401. */
  opens = true
  readonly posts: {
    readonly authorization: string | undefined
    readonly contentType: string | undefined
    readonly body: string
  }[] = []
  readonly codes: string[] = []
  readonly received: string[] = []
  readonly sockets = new Set<WebSocket>()
  onConnection: (socket: WebSocket) => void = () => undefined
  readonly #validCodes = new Set<string>()
  readonly #http = createServer((request, response) => void this.#answer(request, response))
  readonly #websockets = new WebSocketServer({ noServer: true })

  static async listen(): Promise<TestRelay> {
    const relay = new TestRelay()
    await new Promise<void>((resolve) => relay.#http.listen(0, '127.0.0.1', resolve))
    relay.#acceptUpgrades()
    return relay
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/session/exp-data`
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port
  }

  send(text: string): void {
    for (const socket of this.sockets) socket.send(text)
  }

  /** Cuts all links without a close frame, as old relays do. */
  cut(): void {
    for (const socket of this.sockets) socket.terminate()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    this.#http.closeAllConnections()
    await new Promise((resolve) => this.#http.close(resolve))
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const { authorization, 'content-type': contentType } = request.headers
    this.posts.push({ authorization, contentType, body })
    const { access } = this
    if (access === 'silence') return
    if (access === 'reset') {
      request.socket.destroy()
      return
    }
    if (access !== 'address') {
      response.writeHead(access.status, access.headers).end(access.body)
      return
    }
    const code = crypto.randomUUID()
    this.#validCodes.add(code)
    const uri = `ws://127.0.0.1:${this.port}/session/exp-data?code=${code}`
    response.writeHead(200, { 'content-type': 'application/json' }).end(`${JSON.stringify({ uri })}\n`)
  }

  #acceptUpgrades(): void {
    this.#http.on('upgrade', (request, socket, head) => {
      const code = new URL(request.url ?? '/', 'http://relay').searchParams.get('code') ?? ''
      this.codes.push(code)
      if (!this.#validCodes.delete(code) || !this.opens) {
        socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
        return
      }
      this.#websockets.handleUpgrade(request, socket, head, (websocket) => {
        this.sockets.add(websocket)
        websocket.on('close', () => this.sockets.delete(websocket))
        websocket.on('message', (data: Buffer) => this.received.push(data.toString()))
        this.onConnection(websocket)
      })
    })
  }
}
