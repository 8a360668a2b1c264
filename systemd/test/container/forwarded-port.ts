import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

/**
 * A port of loopback here that leads to a port of loopback in the network of another process, as a proxy in front of a
 * server does: each connection is carried by a socat of its own in there.
 */
export class ForwardedPort implements AsyncDisposable {
  readonly #server: Server
  readonly #open = new Set<Socket>()

  private constructor(targetPid: number, port: number) {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#open.add(socket)
      const carrier = spawn(
        'nsenter',
        [`--target=${targetPid}`, '--net', '--', 'socat', '-t1', 'STDIO', `TCP:127.0.0.1:${port}`],
        { stdio: ['pipe', 'pipe', 'ignore'] },
      )
      socket.pipe(carrier.stdin)
      carrier.stdout.pipe(socket)
      carrier.stdin.on('error', () => undefined)
      carrier.on('error', () => socket.destroy())
      carrier.on('close', () => socket.destroySoon())
      socket.on('error', () => undefined)
      socket.on('close', () => {
        this.#open.delete(socket)
        carrier.kill('SIGKILL')
      })
    })
  }

  static async open(targetPid: number, port: number): Promise<ForwardedPort> {
    const forwarded = new ForwardedPort(targetPid, port)
    forwarded.#server.listen(0, '127.0.0.1')
    await once(forwarded.#server, 'listening')
    return forwarded
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#open) socket.destroy()
    this.#server.close()
    if (this.#server.listening) await once(this.#server, 'close')
  }
}
