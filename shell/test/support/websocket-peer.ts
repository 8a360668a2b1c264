import { once } from 'node:events'
import type { Socket } from 'node:net'
import { type ClientOptions, WebSocket } from 'ws'
import { tunnelProtocol } from '../../src/relay/exchange/close-codes.ts'

export interface Message {
  readonly data: Buffer
  readonly isBinary: boolean
}

export interface Ending {
  /** Undefined where no close frame came. */
  readonly code: number | undefined
  readonly reason: string
}

export interface PeerOptions extends ClientOptions {
  /** Offers the protocol of our own ends. */
  readonly isOurs?: boolean
}

/** A plain websocket client that stands for an end: it keeps what comes until the test asks for it. */
export class WebsocketPeer {
  readonly socket: WebSocket
  readonly closed: Promise<Ending>
  readonly #messages: Message[] = []
  readonly #wake = new Set<() => void>()
  /** Binary bytes that were not read yet, in order. */
  #bytes: Buffer[] = []
  byteCount = 0
  pingCount = 0
  isClosed = false

  private constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (data, isBinary) => this.#take({ data: data as Buffer, isBinary }))
    socket.on('ping', () => {
      this.pingCount += 1
      this.#wakeAll()
    })
    socket.on('error', () => {})
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        this.isClosed = true
        resolve({ code: code === 1006 ? undefined : code, reason: reason.toString() })
        this.#wakeAll()
      })
    })
  }

  /** Resolves once the websocket is open; rejects with the status where it is refused. */
  static async open(uri: string, { isOurs = false, ...options }: PeerOptions = {}): Promise<WebsocketPeer> {
    const socket = isOurs ? new WebSocket(uri, tunnelProtocol, options) : new WebSocket(uri, options)
    const peer = new WebsocketPeer(socket)
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve)
      socket.once('unexpected-response', (_request, response) => {
        response.resume()
        reject(new Error(`refused with ${response.statusCode}`))
      })
      socket.once('error', reject)
    })
    return peer
  }

  /** The TCP connection below. */
  get tcp(): Socket {
    return (this.socket as unknown as { _socket: Socket })._socket
  }

  /** The next text message. */
  async text(): Promise<string> {
    await this.until(() => this.#messages.some(({ isBinary }) => !isBinary))
    const at = this.#messages.findIndex(({ isBinary }) => !isBinary)
    return this.#messages.splice(at, 1)[0]?.data.toString() ?? ''
  }

  async json(): Promise<Record<string, unknown>> {
    return JSON.parse(await this.text()) as Record<string, unknown>
  }

  /** The next message of either kind. */
  async message(): Promise<Message> {
    await this.until(() => this.#messages.length > 0)
    const message = this.#messages.shift()
    if (message === undefined) throw new Error('no message')
    return message
  }

  /** What came and was not asked for. */
  get unread(): readonly Message[] {
    return this.#messages
  }

  /** From here on binary messages are only joined, see `read`. */
  async read(length: number): Promise<Buffer> {
    const joined = (): number => this.#messages.reduce((sum, { data }) => sum + data.length, 0)
    await this.until(() => joined() + this.byteCount >= length)
    const all = Buffer.concat([...this.#bytes, ...this.#messages.splice(0).map(({ data }) => data)])
    this.#bytes = [all.subarray(length)]
    this.byteCount = all.length - length
    return all.subarray(0, length)
  }

  send(data: Buffer | string): void {
    this.socket.send(data)
  }

  sendText(text: string): void {
    this.socket.send(Buffer.from(text), { binary: false })
  }

  async close(code = 1000): Promise<void> {
    this.socket.close(code)
    await this.closed
  }

  /** Breaks the TCP connection. */
  cut(): void {
    this.socket.terminate()
  }

  async until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) {
      if (this.isClosed) throw new Error('the websocket closed before that')
      await new Promise<void>((resolve) => this.#wake.add(resolve))
    }
  }

  #take(message: Message): void {
    this.#messages.push(message)
    this.#wakeAll()
  }

  #wakeAll(): void {
    const waiting = [...this.#wake]
    this.#wake.clear()
    for (const wake of waiting) wake()
  }
}

/** Resolves once the TCP connection is gone. */
export async function gone(tcp: Socket): Promise<void> {
  if (!tcp.closed) await once(tcp, 'close')
}
