import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { systemClock } from '@relay/common/clock'
import { type ControlMessage, encodeControl, parseControl } from '@relay/common/tunnel/control-message'
import { LocalEnd } from '@relay/common/tunnel/local-end'
import type { SessionEnd } from '@relay/common/tunnel/session-end'
import { deaf } from '@relay/common/tunnel/tunnel-link'
import { TUNNEL_PROTOCOL } from '@relay/common/tunnel/tunnel-protocol'
import { TunnelSession } from '@relay/common/tunnel/tunnel-session'
import { WebsocketLink } from '@relay/common/tunnel/websocket-link'
import { type WebSocket, WebSocketServer } from 'ws'

export interface SmallRelayOptions {
  /** Whether it selects our protocol, or behaves as an old one. */
  readonly isOld?: boolean
  /** The answer of the access API; default: the address. */
  readonly access?: (
    request: IncomingMessage,
  ) => { readonly status: number; readonly body: string } | undefined
  /** What happens on a new link; default: nothing. */
  readonly onLink?: (link: WebSocket, relay: SmallRelay) => void
}

/** As much of a shell relay as a client needs: access API and websockets, whose other end the test plays. */
export class SmallRelay {
  readonly #http: Server
  readonly links: WebSocket[] = []
  readonly #sessions = new Map<string, TunnelSession>()
  readonly ends: SessionEnd[] = []
  posts = 0
  #port = 0

  private constructor(options: SmallRelayOptions) {
    this.#http = createServer((request, response) => {
      this.posts += 1
      const answer = options.access?.(request) ?? {
        status: 200,
        body: `{"uri":"ws://127.0.0.1:${this.#port}/shell/pend00/c${this.posts}?code=k${this.posts}"}\n`,
      }
      response
        .writeHead(answer.status, { 'content-type': 'application/json', connection: 'close' })
        .end(answer.body)
    })
    const websockets = new WebSocketServer({
      server: this.#http,
      perMessageDeflate: false,
      handleProtocols: (offered) =>
        options.isOld !== true && offered.has(TUNNEL_PROTOCOL) ? TUNNEL_PROTOCOL : false,
    })
    websockets.on('connection', (link) => {
      this.links.push(link)
      options.onLink?.(link, this)
    })
  }

  static async start(options: SmallRelayOptions = {}, port = 0): Promise<SmallRelay> {
    const relay = new SmallRelay(options)
    await new Promise<void>((resolve) => {
      relay.#http.listen(port, '127.0.0.1', resolve)
    })
    relay.#port = (relay.#http.address() as AddressInfo).port
    return relay
  }

  get port(): number {
    return this.#port
  }

  get session(): string {
    return `http://127.0.0.1:${this.#port}/shell/pend00`
  }

  /** Cuts every link. */
  cut(): void {
    for (const link of this.links) link.terminate()
  }

  /** Plays relay and host of ours on a link: pairs, opens and resumes sessions with the server at `port`. */
  serveTunnel(link: WebSocket, port: number): void {
    const tunnel = new WebsocketLink(link, { clock: systemClock, isTunnel: true, receiver: deaf })
    tunnel.receiver = { ...deaf, linkText: (text) => this.#open(tunnel, parseControl(text), port) }
    tunnel.sendText(encodeControl({ type: 'paired', peer: 'tunnel' }))
  }

  #open(link: WebsocketLink, message: ControlMessage | undefined, port: number): void {
    if (message?.type !== 'open') return
    const known = this.#sessions.get(message.session)
    if (message.resume && known === undefined) {
      link.sendText(encodeControl({ type: 'refused', code: 'SESSION_UNKNOWN', message: 'no such session' }))
      link.close(1000)
      return
    }
    if (known !== undefined) {
      known.attach(link, message)
      return
    }
    const socket: Socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true })
    const local = new LocalEnd({ readable: socket, writable: socket, reset: () => socket.resetAndDestroy() })
    const session = new TunnelSession(
      { role: 'host' },
      { clock: systemClock, local, onLinkLost: () => undefined, onOver: (end) => void this.ends.push(end) },
    )
    local.listen(session)
    this.#sessions.set(message.session, session)
    session.attach(link, message)
  }

  async stop(): Promise<void> {
    for (const session of this.#sessions.values()) session.abort('STOPPED', 'the test is over')
    this.cut()
    this.#http.closeAllConnections()
    await new Promise((resolve) => this.#http.close(resolve))
  }
}
