import { createServer, type IncomingMessage, type Server } from 'node:http'
import { createServer as createTcpServer, type Server as TcpServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { errorCode } from '@relay/common/errors'
import { listen } from '@relay/common/listen'
import { type Exchange, LocalConnection } from './local-connection.ts'
import { type ParserError, resumeAfterUpdate } from './update-method.ts'

export interface LocalListenerOptions {
  /** An address; `localhost` for both loopback addresses; undefined for every address of the machine. */
  readonly host: string | undefined
  /** 0 takes a free port. */
  readonly port: number
  readonly maxConnections: number
  /** From the connection, or from the first byte of a further request, until its headers are complete. */
  readonly headersTimeoutMs: number
  readonly keepAliveTimeoutMs: number
}

export interface LocalListenerHandlers {
  /** Called when all earlier requests of the connection have got their answers. */
  readonly request: (exchange: Exchange, connection: LocalConnection) => void
  /** Says whether `upgrade` shall get the request; else `request` does. */
  readonly shouldUpgrade: (request: IncomingMessage) => boolean
  /** The socket is paused. */
  readonly upgrade: (request: IncomingMessage, socket: Socket, head: Buffer) => void
  readonly connectionRefused: () => void
  readonly fault: (error: unknown) => void
}

/**
 * The listening side of the local API: Node's HTTP server on one or both loopback addresses, or on all, which knows
 * the method UPDATE as well.
 *
 * Invariants: at most `maxConnections` sockets are open, upgraded ones included; after `close` none is.
 */
export class LocalListener {
  readonly port: number
  readonly #servers: readonly TcpServer[]
  readonly #sockets: ReadonlySet<Socket>

  private constructor(port: number, servers: readonly TcpServer[], sockets: ReadonlySet<Socket>) {
    this.port = port
    this.#servers = servers
    this.#sockets = sockets
  }

  /** @throws {UnavailableError} see `listen` of the common package. */
  static async open(options: LocalListenerOptions, handlers: LocalListenerHandlers): Promise<LocalListener> {
    const sockets = new Set<Socket>()
    const server = httpServer(options, handlers, sockets)
    const what = 'the local API'
    const isBoth = options.host === 'localhost'
    const port = await listen(server, { host: isBoth ? '127.0.0.1' : options.host, port: options.port, what })
    server.on('error', handlers.fault)
    if (!isBoth) return new LocalListener(port, [server], sockets)
    const second = createTcpServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      server.emit('connection', socket)
    })
    const servers: TcpServer[] = [server]
    try {
      await listen(second, { host: '::1', port, what })
      second.on('error', handlers.fault)
      servers.push(second)
    } catch (error) {
      // A machine without IPv6 has no ::1; and with port 0 somebody may have it there. IPv4 serves everybody then.
      if (errorCode(error) === 'PORT_IN_USE' && options.port !== 0) {
        server.close()
        throw error
      }
    }
    return new LocalListener(port, servers, sockets)
  }

  /** How many sockets are open. */
  get connectionCount(): number {
    return this.#sockets.size
  }

  /** Stops listening and cuts every connection. */
  async close(): Promise<void> {
    const closed = this.#servers.map((server) => new Promise((resolve) => server.close(resolve)))
    // A server may report its end before its last socket has reported its own.
    for (const socket of this.#sockets) {
      closed.push(new Promise((resolve) => socket.once('close', resolve)))
      socket.destroy()
    }
    await Promise.all(closed)
  }
}

function httpServer(
  { maxConnections, headersTimeoutMs, keepAliveTimeoutMs }: LocalListenerOptions,
  handlers: LocalListenerHandlers,
  sockets: Set<Socket>,
): Server {
  const server = createServer({
    noDelay: true,
    headersTimeout: headersTimeoutMs,
    // Uploads have no end; bodies of rules have a deadline of their own.
    requestTimeout: 0,
    keepAliveTimeout: keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(1_000, headersTimeoutMs),
    shouldUpgradeCallback: handlers.shouldUpgrade,
  })
  const [parse] = server.listeners('connection')
  server.removeAllListeners('connection')
  const serve = (socket: Socket, ahead?: Buffer): void => {
    parse?.call(server, new LocalConnection(socket, ahead))
  }
  server.on('connection', (socket: Socket) => {
    if (sockets.size >= maxConnections) {
      handlers.connectionRefused()
      socket.destroy()
      return
    }
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    // Whoever holds the socket hears of its end by 'close'; while it changes hands nobody listens to errors.
    socket.on('error', () => undefined)
    socket.setKeepAlive(true, 30_000)
    serve(socket)
  })
  server.on('request', (request, response) => {
    const connection = request.socket as Duplex as LocalConnection
    const exchange = { request, response }
    connection.serveInTurn(exchange, () => handlers.request(exchange, connection))
  })
  server.on('upgrade', (request: IncomingMessage, duplex: Duplex, head: Buffer) => {
    const connection = duplex as LocalConnection
    const { socket, unread } = connection.release()
    connection.destroy()
    handlers.upgrade(request, socket, unread.length === 0 ? head : Buffer.concat([head, unread]))
  })
  server.on('clientError', (error: ParserError, duplex) => {
    const connection = duplex as LocalConnection
    if (resumeAfterUpdate(connection, error, serve)) return
    refuse(connection, error.code)
  })
  return server
}

/** What cannot be parsed is answered by hand, as no request came to be. */
function refuse(connection: LocalConnection, code: string | undefined): void {
  if (!connection.writable || code === 'ECONNRESET') {
    connection.destroy()
    return
  }
  const [status, sentence] = refusalOf(code)
  connection.write(
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n` +
      `Content-Length: ${sentence.length + 1}\r\n\r\n${sentence}\n`,
  )
  connection.destroySoon()
}

function refusalOf(code: string | undefined): readonly [status: string, sentence: string] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return ['431 Request Header Fields Too Large', 'the headers of the request are larger than 16 KiB']
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return ['408 Request Timeout', 'the headers of the request did not come in time']
    case 'HPE_INVALID_METHOD':
      return ['400 Bad Request', 'the method of the request is unknown; use GET, PUT, POST, UPDATE or DELETE']
    default:
      return ['400 Bad Request', '400 Bad Request']
  }
}
