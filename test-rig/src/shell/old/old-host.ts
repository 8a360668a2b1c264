import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RawData, WebSocket } from 'ws'
import { dialWebsocket, reconnectForEver } from './go-dialler.ts'
import { FramingPump, messageBytes, type PumpFacts, pumpToTcp, pumpToWebsocket } from './old-pump.ts'

export interface OldHostOptions {
  readonly generation: 'v0.2.2' | 'jump'
  /** The whole address of the access API, id included. */
  readonly access: string
  readonly token: string
  readonly sshdPort: number
  /** Waits so long before it dials the websocket of a session, as over a slow link. */
  readonly dialDelayMs?: number
}

interface OldSession {
  readonly cancel: AbortController
  tcp: Socket | undefined
  socket: WebSocket | undefined
}

/**
 * A shell host of the old programs, from their specification and with all their faults (spec shell 5.2, 6, 8.1, 9.1): the
 * control message is decoded into one variable, an address that does not parse hides a disconnect (B1), no end of a
 * connection is carried on (B7), and the newer program dies when it cancels a session whose websocket it never had (8.3).
 */
export class OldHost implements AsyncDisposable {
  readonly #options: OldHostOptions
  readonly #stop = new AbortController()
  readonly #sessions = new Map<string, OldSession>()
  readonly #running: Promise<void>
  #decoded = { action: '', uri: '', uuid: '' }
  /** One for each session of v0.2.2. */
  readonly pumps: PumpFacts[] = []
  /** Manager links so far. */
  managers = 0
  /** The newer program panicked. */
  hasCrashed = false
  /** Sessions asked for so far. */
  connects = 0

  constructor(options: OldHostOptions) {
    this.#options = options
    this.#running = reconnectForEver({ ...options, signal: this.#stop.signal }, (manager) =>
      this.#listen(manager),
    )
  }

  /** TCP connections to sshd and websockets of sessions that are open now. */
  get open(): { readonly tcp: number; readonly websockets: number } {
    const sessions = [...this.#sessions.values()]
    return {
      tcp: sessions.filter(({ tcp }) => tcp?.destroyed === false).length,
      websockets: sessions.filter(({ socket }) => socket?.readyState === 1).length,
    }
  }

  /** Everything ends without a word, as with SIGINT. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end()
    await this.#running
  }

  #end(): void {
    this.#stop.abort()
    for (const { tcp } of this.#sessions.values()) tcp?.destroy()
  }

  async #listen(manager: WebSocket): Promise<void> {
    this.managers += 1
    manager.on('message', (data: RawData) => this.#onMessage(messageBytes(data).toString()))
    await once(manager, 'close')
  }

  #onMessage(text: string): void {
    try {
      const message: unknown = JSON.parse(text)
      if (typeof message !== 'object' || message === null || Array.isArray(message)) return
      // A key that is missing keeps the value of the message before.
      this.#decoded = { ...this.#decoded, ...message }
      if (!this.#decoded.uri.startsWith('/')) void new URL(this.#decoded.uri)
    } catch {
      return
    }
    const { action, uri, uuid } = this.#decoded
    if (action === 'connect') void this.#connect(uri, uuid)
    else if (action === 'disconnect') this.#disconnect(uuid)
  }

  async #connect(uri: string, uuid: string): Promise<void> {
    this.connects += 1
    const session: OldSession = { cancel: new AbortController(), tcp: undefined, socket: undefined }
    this.#sessions.set(uuid, session)
    await (this.#options.generation === 'v0.2.2' ? this.#serve(session, uri) : this.#serveNewer(session, uri))
  }

  #disconnect(uuid: string): void {
    const session = this.#sessions.get(uuid)
    if (session === undefined) return
    this.#sessions.delete(uuid)
    session.cancel.abort()
    if (this.#options.generation === 'v0.2.2') {
      session.socket?.close(1000)
      session.tcp?.end()
      session.tcp?.destroySoon()
      return
    }
    if (session.socket === undefined) this.#crash()
    session.socket?.terminate()
    session.tcp?.destroySoon()
  }

  /** Dials both at once; the banner of sshd waits 1 s for the websocket. */
  async #serve(session: OldSession, uri: string): Promise<void> {
    const dialling = this.#dialUnique(session, uri)
    const tcp = await this.#dialSshd(session)
    if (tcp === undefined) {
      // Nobody is told; the websocket stays, and answers pings.
      ;(await dialling)?.resume()
      return
    }
    const pump = new FramingPump(tcp, { onStall: 'stop' })
    this.pumps.push(pump.facts)
    this.#stop.signal.addEventListener('abort', () => pump.stop())
    const socket = await dialling
    if (socket === undefined) return
    pumpToTcp(socket, tcp, { takesText: true })
    pump.attach(socket)
    socket.resume()
    await once(socket, 'close')
    pump.stop()
  }

  /** The websocket first, then sshd; it goes on without the websocket. */
  async #serveNewer(session: OldSession, uri: string): Promise<void> {
    const socket = await this.#dialUnique(session, uri)
    const tcp = await this.#dialSshd(session)
    if (tcp === undefined) {
      if (socket === undefined) this.#crash()
      socket?.terminate()
      return
    }
    if (socket === undefined) return
    pumpToTcp(socket, tcp, { takesText: false })
    pumpToWebsocket(tcp, socket)
    socket.resume()
  }

  async #dialUnique(session: OldSession, uri: string): Promise<WebSocket | undefined> {
    try {
      await sleep(this.#options.dialDelayMs ?? 0)
      session.socket = await dialWebsocket(uri, this.#stop.signal)
      // Until sshd is there nobody reads it.
      session.socket.pause()
      if (session.cancel.signal.aborted) session.socket.close(1000)
      return session.socket
    } catch {
      return undefined
    }
  }

  async #dialSshd(session: OldSession): Promise<Socket | undefined> {
    const tcp = connect({
      port: this.#options.sshdPort,
      host: '127.0.0.1',
      noDelay: true,
      allowHalfOpen: true,
    })
    try {
      await once(tcp, 'connect')
    } catch {
      return undefined
    }
    tcp.on('error', () => {})
    session.tcp = tcp
    if (session.cancel.signal.aborted) tcp.destroySoon()
    return tcp
  }

  #crash(): void {
    this.hasCrashed = true
    this.#end()
  }
}
