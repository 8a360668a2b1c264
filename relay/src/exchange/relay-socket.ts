import type { Duplex } from 'node:stream'
import type { IncomingMessage } from 'node:http'
import { type Server, type ServerOptions, WebSocket, WebSocketServer } from 'ws'
import type { Connection } from './connection.ts'

/** Largest message of a client: 10 MiB, exactly (spec session 6.2). */
export const maxMessageBytes = 10_485_760
/** How long a peer has to answer our close before the socket is cut. */
const closeTimeoutMs = 2000

/** A websocket of the library, except that it answers a close with the same code and no reason (spec session 6.7). */
export class RelaySocket extends WebSocket {
  /** Whose socket it is: kept here so that all sockets share their listeners. */
  connection: Connection | undefined

  /** Called by the library to answer the peer's close; the reason is left out. */
  override close(code?: number): void {
    super.close(code)
  }

  /** Our own close, with a reason for the peer. */
  end(code: number, reason: string): void {
    super.close(code, reason)
  }
}

/** Upgrades sockets to websockets as spec session 6.1 and 6.2 say: no compression, protocol `null`, no UTF-8 check. */
export class Upgrader {
  readonly #server: Server<typeof RelaySocket>

  constructor() {
    const options: ServerOptions<typeof RelaySocket> & { closeTimeout: number } = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      skipUTF8Validation: true,
      maxPayload: maxMessageBytes,
      closeTimeout: closeTimeoutMs,
      handleProtocols: (protocols) => (protocols.has('null') ? 'null' : false),
      WebSocket: RelaySocket,
    }
    this.#server = new WebSocketServer(options)
  }

  /** Sends the 101 and calls `upgraded` in the same turn. The request must be a valid one. */
  upgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    upgraded: (socket: RelaySocket) => void,
  ): void {
    this.#server.handleUpgrade(request, socket, head, upgraded)
  }
}
