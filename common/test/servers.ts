import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Socket,
  type Server as TcpServer,
} from 'node:net'

/** What a test has opened; `close` ends all of it, open connections included. */
export class Servers implements AsyncDisposable {
  readonly #closers: (() => Promise<void>)[] = []

  /** A web server on a free port of loopback; gives its port. */
  async http(listener: RequestListener): Promise<{ readonly server: Server; readonly port: number }> {
    const server = createServer(listener)
    this.#closers.push(
      () =>
        new Promise((resolve) => {
          server.close(() => resolve())
          server.closeAllConnections()
        }),
    )
    return { server, port: await listening(server) }
  }

  /**
   * An HTTP proxy that tunnels every name to one port of this machine, or refuses with a status line; gives its address
   * and, as they come, the requests for tunnels.
   */
  async proxy(toPort: number, { refuseWith }: { readonly refuseWith?: string } = {}): Promise<TunnelProxy> {
    const tunnels: Seen[] = []
    const { server, port } = await this.http((_request, response) => void response.writeHead(405).end())
    const sockets = new Set<Socket>()
    server.on('connect', (request, client: Socket, head: Buffer) => {
      tunnels.push(seen(request))
      sockets.add(client.on('error', () => undefined).on('close', () => sockets.delete(client)))
      if (refuseWith !== undefined) {
        client.end(`HTTP/1.1 ${refuseWith}\r\n\r\n`)
        return
      }
      const upstream = connect(toPort, '127.0.0.1', () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n')
        upstream.write(head)
        client.pipe(upstream).pipe(client)
      })
      upstream.on('error', () => undefined).on('close', () => client.destroySoon())
      client.on('close', () => upstream.destroy())
    })
    this.#closers.push(() => {
      for (const socket of sockets) socket.destroy()
      return Promise.resolve()
    })
    return { address: `127.0.0.1:${port}`, tunnels }
  }

  /** A plain TCP server; `onConnection` may answer whatever it likes. */
  async tcp(onConnection: (socket: Socket) => void): Promise<number> {
    const sockets = new Set<Socket>()
    const server = createTcpServer((socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket)).on('error', () => undefined)
      onConnection(socket)
    })
    this.#closers.push(
      () =>
        new Promise((resolve) => {
          server.close(() => resolve())
          for (const socket of sockets) socket.destroy()
        }),
    )
    return await listening(server)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#closers.map((close) => close()))
  }
}

function listening(server: TcpServer): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

export interface TunnelProxy {
  readonly address: string
  readonly tunnels: readonly Seen[]
}

/** What one request said. */
export interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
}

export function seen({ method = '', url = '', headers }: IncomingMessage): Seen {
  return { method, url, headers }
}
