import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type Server, type ServerOptions, WebSocket, WebSocketServer } from 'ws'

const usualCloseTimeoutMs = 2000

/** A websocket of the library, except that it answers a close with the same code and no reason (spec session 6.7). */
export class EchoingSocket extends WebSocket {
  /** Called by the library to answer the peer's close; the reason is left out. */
  override close(code?: number): void {
    super.close(code)
  }

  /** Our own close, with a reason for the peer. */
  end(code: number, reason: string): void {
    super.close(code, reason)
  }
}

export interface UpgraderOptions<S extends EchoingSocket> {
  /** The class of the websockets, so that all of them share their listeners. */
  readonly socketClass: new (
    ...given: ConstructorParameters<typeof WebSocket>
  ) => S
  /** Larger messages end the connection with 1009. */
  readonly maxMessageBytes: number
  /** Subprotocols that are selected where they are offered, the best first. */
  readonly protocols: readonly string[]
  /** How long a peer has to answer our close before the socket is cut; 2 s where it is left out. */
  readonly closeTimeoutMs?: number
}

/** Upgrades sockets to websockets as spec session 6.1 and 6.2 say: no compression, few protocols, no UTF-8 check. */
export class Upgrader<S extends EchoingSocket> {
  readonly #server: Server

  constructor({ socketClass, maxMessageBytes, protocols, closeTimeoutMs }: UpgraderOptions<S>) {
    const options: ServerOptions & { closeTimeout: number } = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      skipUTF8Validation: true,
      maxPayload: maxMessageBytes,
      closeTimeout: closeTimeoutMs ?? usualCloseTimeoutMs,
      handleProtocols: (offered) => protocols.find((protocol) => offered.has(protocol)) ?? false,
      WebSocket: socketClass as unknown as typeof WebSocket,
    }
    this.#server = new WebSocketServer(options)
  }

  /** Sends the 101 and calls `upgraded` in the same turn. The request must be a valid one. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, upgraded: (socket: S) => void): void {
    this.#server.handleUpgrade(request, socket, head, (websocket) => upgraded(websocket as S))
  }
}
