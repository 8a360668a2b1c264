import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** What happened to one side of a session: it is over when nothing can come and nothing can be sent any more. */
export type EndOfStream = 'fin' | 'reset'

const piece = Buffer.alloc(32 * 1024, 'x')

/** One TCP side of a session, ssh's or sshd's, that notes how and when the other side ended it. */
export class WatchedEnd {
  readonly #socket: Socket
  #receivedBytes = 0
  #end: { readonly how: EndOfStream; readonly atMs: number } | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => (this.#receivedBytes += chunk.length))
    socket.on('end', () => this.#note('fin'))
    socket.on('error', () => this.#note('reset'))
    socket.on('close', () => this.#note('fin'))
  }

  static async dial(port: number, host: string): Promise<WatchedEnd> {
    const socket = connect({ port, host, noDelay: true, allowHalfOpen: true })
    await once(socket, 'connect')
    return new WatchedEnd(socket)
  }

  get receivedBytes(): number {
    return this.#receivedBytes
  }

  get end(): { readonly how: EndOfStream; readonly atMs: number } | undefined {
    return this.#end
  }

  /** Sends without end. */
  pour(): void {
    const pour = (): void => {
      while (this.#socket.writable && this.#socket.write(piece));
    }
    this.#socket.on('drain', pour)
    pour()
  }

  say(text: string): void {
    this.#socket.write(text)
  }

  /** Answers the end of the other side with its own, as sshd and ssh do. */
  answerEnd(): void {
    this.#socket.once('end', () => this.#socket.end())
  }

  /** FIN, after what was sent before. */
  close(): void {
    this.#socket.removeAllListeners('drain')
    this.#socket.end()
  }

  reset(): void {
    this.#socket.resetAndDestroy()
  }

  /** As when its process dies: the system closes what it had. */
  die(): void {
    this.#socket.destroy()
  }

  /** Reads no more. */
  stopReading(): void {
    this.#socket.pause()
  }

  readOn(): void {
    this.#socket.resume()
  }

  #note(how: EndOfStream): void {
    this.#end ??= { how, atMs: performance.now() }
  }
}

/** A port that stands for sshd: hands over each connection in the order in which they came. */
export class WatchedPort implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly accepted: WatchedEnd[] = []

  private constructor() {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
      this.accepted.push(new WatchedEnd(socket))
    })
  }

  static async listen(host: string): Promise<WatchedPort> {
    const port = new WatchedPort()
    port.#server.listen(0, host)
    await once(port.#server, 'listening')
    return port
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#sockets.size
  }

  /** The next one; undefined when none comes in time. */
  async next(withinMs: number): Promise<WatchedEnd | undefined> {
    const index = this.accepted.length
    const giveUpAtMs = performance.now() + withinMs
    while (this.accepted.length <= index && performance.now() < giveUpAtMs) await sleep(20)
    return this.accepted[index]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
