import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

/** Speaks first, as sshd does, then gives back what it gets. Ends when the other end does. */
export class EchoSshd implements AsyncDisposable {
  static readonly banner = Buffer.from('Echo Service\r\n')
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** Connections so far. */
  accepted = 0

  private constructor() {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.accepted += 1
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket)).on('error', () => {})
      socket.write(EchoSshd.banner)
      socket.pipe(socket)
    })
  }

  static async start(port = 0): Promise<EchoSshd> {
    const sshd = new EchoSshd()
    sshd.#server.listen(port, '127.0.0.1')
    await once(sshd.#server, 'listening')
    return sshd
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Connections that are open now. */
  get open(): readonly Socket[] {
    return [...this.#sockets]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
