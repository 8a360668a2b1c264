import { connect, type Socket } from 'node:net'
import { loopback } from '../golden/raw-http.ts'
import { Mailbox, within } from '../golden/mailbox.ts'
import type { Message } from '../golden/payload.ts'
import type { WebsocketPeer } from '../golden/websocket-peer.ts'

/** How a connection ended: a close code, null without one, `fin` or `reset` for TCP. */
export interface EndFact {
  readonly code: number | null | 'fin' | 'reset'
  readonly atMs: number
}

/** A websocket or a TCP connection that a case holds by name. */
export interface CaseConnection {
  readonly openedAtMs: number
  readonly messages: Mailbox<Message>
  /** Undefined while it is open. */
  readonly end: EndFact | undefined
  send(...messages: readonly Message[]): void
  whenEnded(withinMs: number): Promise<EndFact | undefined>
  /** A close frame, or a FIN. */
  close(code: number | undefined): void
  /** Ends it without a word. */
  cut(): void
}

/** The websocket of a case. */
export class WebsocketConnection implements CaseConnection {
  readonly peer: WebsocketPeer

  constructor(peer: WebsocketPeer) {
    this.peer = peer
  }

  get openedAtMs(): number {
    return this.peer.openedAtMs
  }

  get messages(): Mailbox<Message> {
    return this.peer.messages
  }

  get end(): EndFact | undefined {
    const fact = this.peer.closeFact
    return fact === undefined ? undefined : toEndFact(fact.code, fact.atMs)
  }

  send(...messages: readonly Message[]): void {
    this.peer.send(...messages)
  }

  async whenEnded(withinMs: number): Promise<EndFact | undefined> {
    const fact = await this.peer.whenClosed(withinMs)
    return fact === undefined ? undefined : toEndFact(fact.code, fact.atMs)
  }

  close(code: number | undefined): void {
    this.peer.close(code)
  }

  cut(): void {
    this.peer.terminate()
  }
}

function toEndFact(code: number, atMs: number): EndFact {
  return { code: code === 1006 ? null : code, atMs }
}

/** A TCP connection of a case, played as ssh or as sshd. Its FIN is sent when the case says so, not in answer to one. */
export class TcpConnection implements CaseConnection {
  readonly openedAtMs = performance.now()
  readonly messages = new Mailbox<Message>()
  readonly #socket: Socket
  readonly #ended = Promise.withResolvers<EndFact>()
  #end: EndFact | undefined

  /** @param socket with `allowHalfOpen` */
  constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (data) => this.messages.put({ type: 'binary', data }))
    socket.on('end', () => this.#onEnd('fin'))
    socket.on('error', () => this.#onEnd('reset'))
    socket.on('close', () => this.#onEnd('fin'))
  }

  /** Dials loopback as ssh does. */
  static async dial(port: number): Promise<TcpConnection> {
    const socket = connect({ host: loopback, port, allowHalfOpen: true })
    const connected = Promise.withResolvers<void>()
    socket.once('connect', connected.resolve).once('error', connected.reject)
    await connected.promise
    return new TcpConnection(socket)
  }

  get end(): EndFact | undefined {
    return this.#end
  }

  send(...messages: readonly Message[]): void {
    for (const { data } of messages) this.#socket.write(data)
  }

  whenEnded(withinMs: number): Promise<EndFact | undefined> {
    return within(this.#ended.promise, withinMs)
  }

  close(): void {
    this.#socket.end()
  }

  cut(): void {
    this.#socket.destroy()
  }

  #onEnd(code: 'fin' | 'reset'): void {
    this.#end ??= { code, atMs: performance.now() }
    this.#ended.resolve(this.#end)
  }
}
