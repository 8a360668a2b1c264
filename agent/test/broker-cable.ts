import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A cable to a broker that a test can pull. */
export class BrokerCable implements AsyncDisposable {
  readonly port: number
  readonly #brokerPort: number
  readonly #sockets = new Set<Socket>()
  readonly #server: Server
  #isPulled = false

  private constructor(server: Server, brokerPort: number) {
    this.#server = server
    this.#brokerPort = brokerPort
    this.port = (server.address() as AddressInfo).port
    server.on('connection', (socket: Socket) => this.#carry(socket))
  }

  static async to(brokerPort: number): Promise<BrokerCable> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new BrokerCable(server, brokerPort)
  }

  /** All connections break, and new ones too. */
  pull(): void {
    this.#isPulled = true
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  plug(): void {
    this.#isPulled = false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.pull()
    const closed = once(this.#server, 'close')
    this.#server.close()
    await closed
  }

  #carry(socket: Socket): void {
    if (this.#isPulled) {
      socket.resetAndDestroy()
      return
    }
    const broker = connect(this.#brokerPort, '127.0.0.1')
    for (const [from, to] of [
      [socket, broker],
      [broker, socket],
    ] as const) {
      this.#sockets.add(from)
      from.on('error', () => undefined)
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
  }
}
