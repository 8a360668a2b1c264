import { once } from 'node:events'
import { WebSocket } from 'ws'

export interface Heard {
  readonly data: Buffer
  readonly isBinary: boolean
}

/** A client of a topic: plain `ws`, keeps what it hears until somebody asks. */
export class Viewer {
  readonly socket: WebSocket
  readonly heard: Heard[] = []
  closed: { readonly code: number; readonly reason: string; readonly atMs: number } | undefined
  #wake: () => void = () => {}

  private constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (data, isBinary) => {
      this.heard.push({ data: data as Buffer, isBinary })
      this.#wake()
    })
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString(), atMs: performance.now() }
      this.#wake()
    })
    socket.on('error', () => {})
  }

  /** Opens a websocket; rejects with the status where it is refused. */
  static async dial(address: string, protocols: readonly string[] = []): Promise<Viewer> {
    const socket = new WebSocket(address, [...protocols], { skipUTF8Validation: true, maxPayload: 0 })
    const viewer = new Viewer(socket)
    socket.on('unexpected-response', (request, response) => {
      request.destroy()
      socket.emit('error', new Error(`refused with ${response.statusCode}`))
    })
    await once(socket, 'open')
    return viewer
  }

  get texts(): readonly string[] {
    return this.heard.map(({ data }) => data.toString('latin1'))
  }

  send(data: string | Buffer): void {
    this.socket.send(data)
  }

  /** Resolves when so many messages have come in all. */
  async hear(count: number): Promise<void> {
    await this.#until(() => this.heard.length >= count)
  }

  /** Resolves when the connection has ended. */
  async end(): Promise<{ readonly code: number; readonly reason: string; readonly atMs: number }> {
    await this.#until(() => this.closed !== undefined)
    return this.closed as NonNullable<typeof this.closed>
  }

  /**
   * Resolves when everything that the relay sent before has come: the answer to a ping stands behind it. Nothing on
   * the way can overtake it.
   */
  async settle(): Promise<void> {
    const pong = once(this.socket, 'pong')
    this.socket.ping()
    await pong
  }

  terminate(): void {
    this.socket.terminate()
  }

  async #until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
