import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

const patienceMs = 60_000

/** A TCP server in the place of sshd, whose connections the test holds in its hands. */
export class FakeSshd implements AsyncDisposable {
  readonly #server: Server
  readonly #waiting: Socket[] = []
  readonly #open = new Set<Socket>()
  #wake: () => void = () => undefined

  private constructor() {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      socket.on('error', () => undefined)
      socket.on('close', () => this.#open.delete(socket))
      this.#open.add(socket)
      this.#waiting.push(socket)
      this.#wake()
    })
  }

  static async start(host = '127.0.0.1'): Promise<FakeSshd> {
    const sshd = new FakeSshd()
    sshd.#server.listen(0, host)
    await once(sshd.#server, 'listening')
    return sshd
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#open.size
  }

  /** The next connection of the host. */
  async taken(): Promise<Socket> {
    const deadlineMs = performance.now() + patienceMs
    for (;;) {
      const socket = this.#waiting.shift()
      if (socket !== undefined) return socket
      if (performance.now() > deadlineMs) throw new Error('the host did not come to sshd')
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 500)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  /** Connections that nobody has taken yet. */
  get waiting(): number {
    return this.#waiting.length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#open) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

/** Exactly so many bytes of a connection. */
export async function bytesOf(socket: Socket, length: number): Promise<Buffer> {
  const deadlineMs = performance.now() + patienceMs
  while (socket.readableLength < length) {
    if (performance.now() > deadlineMs || socket.readableEnded || socket.destroyed)
      throw new Error(`only ${socket.readableLength} of ${length} bytes came`)
    socket.read(0)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return socket.read(length) as Buffer
}

/** How a connection ended: `fin`, or `rst`. */
export async function endOf(socket: Socket): Promise<'fin' | 'rst'> {
  return await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the connection did not end')), patienceMs)
    const done = (how: 'fin' | 'rst'): void => {
      clearTimeout(timer)
      resolve(how)
    }
    if (socket.readableEnded) done('fin')
    else if (socket.destroyed) done('rst')
    socket.on('error', () => done('rst'))
    socket.on('end', () => done('fin'))
    socket.on('close', () => done('rst'))
    socket.resume()
  })
}
