import { once } from 'node:events'
import { type RawData, WebSocket } from 'ws'
import { until } from './until.ts'

export interface Received {
  readonly data: Buffer
  readonly binary: boolean
  /** Monotonic. */
  readonly atMs: number
}

/** A plain websocket client on a topic, as old clients are: it keeps what comes and knows how it was closed. */
export class TopicPeer implements AsyncDisposable {
  readonly socket: WebSocket
  readonly received: Received[] = []
  #closeCode: number | undefined

  private constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (data: RawData, binary: boolean) => {
      this.received.push({ data: data as Buffer, binary, atMs: performance.now() })
    })
    socket.on('close', (code) => {
      this.#closeCode = code
    })
    socket.on('error', () => undefined)
  }

  /** Dials a one-time address. */
  static async dial(uri: string, protocols: string[] = []): Promise<TopicPeer> {
    const socket = new WebSocket(uri, protocols, { perMessageDeflate: false, skipUTF8Validation: true })
    const peer = new TopicPeer(socket)
    await once(socket, 'open', { signal: AbortSignal.timeout(15_000) })
    return peer
  }

  /** As the browser pages and the Go host do: POST the token, take `uri`, dial. */
  static async join(access: string, token: string, protocols: string[] = []): Promise<TopicPeer> {
    return await TopicPeer.dial(await askForAddress(access, token), protocols)
  }

  get closeCode(): number | undefined {
    return this.#closeCode
  }

  get receivedBytes(): number {
    return this.received.reduce((sum, { data }) => sum + data.length, 0)
  }

  send(message: string | Buffer): void {
    this.socket.send(message, { binary: typeof message !== 'string' })
  }

  /** The first message that `wanted` accepts, among those that came and those to come. */
  async message(wanted: (received: Received) => boolean, withinMs = 15_000): Promise<Received> {
    return await until('the wanted message', () => this.received.find(wanted), { withinMs, everyMs: 10 })
  }

  async text(text: string, withinMs?: number): Promise<Received> {
    return await this.message(({ data, binary }) => !binary && data.toString() === text, withinMs)
  }

  async closed(withinMs = 15_000): Promise<number> {
    return await until('the close of the connection', () => this.#closeCode, { withinMs, everyMs: 5 })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.terminate()
    if (this.socket.readyState !== WebSocket.CLOSED) await this.closed(2_000).catch(() => undefined)
  }
}

/** POST to the access API as the browser pages do (spec session 8). */
export async function askForAddress(access: string, token: string): Promise<string> {
  const response = await fetch(access, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: token },
    body: '{}',
    signal: AbortSignal.timeout(15_000),
  })
  const body = (await response.json()) as { readonly uri?: string }
  if (response.status !== 200 || body.uri === undefined) {
    throw new Error(`no address: ${response.status} ${JSON.stringify(body)}`)
  }
  return body.uri
}
