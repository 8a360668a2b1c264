import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { dialWebsocket, postForUri, reconnectForEver } from './go-dialler.ts'
import { FramingPump, type PumpFacts, pumpToTcp, pumpToWebsocket } from './old-pump.ts'

export interface OldClientOptions {
  readonly generation: 'v0.2.2' | 'jump'
  /** The whole address of the access API, id included. */
  readonly access: string
  readonly token: string
}

/**
 * A shell client of the old programs, from their specification and with all their faults. v0.2.2 (spec shell 6, B3, B5, B6,
 * B8): framing by 1 ms, drops after 1 s, and for each TCP connection a loop that connects anew for ever. The newer one (9.1):
 * one POST and one dial; when they fail, or one direction ends, the rest stays open.
 */
export class OldClient implements AsyncDisposable {
  readonly #options: OldClientOptions
  readonly #server: Server
  readonly #stop = new AbortController()
  readonly #sockets = new Set<Socket>()
  /** One for each connection of v0.2.2. */
  readonly pumps: PumpFacts[] = []
  /** Requests to the access API so far. */
  posts = 0
  /** Websockets that are open now. */
  openWebsockets = 0

  private constructor(options: OldClientOptions) {
    this.#options = options
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (tcp) => this.#onAccepted(tcp))
  }

  static async start(options: OldClientOptions): Promise<OldClient> {
    const client = new OldClient(options)
    client.#server.listen(0, '127.0.0.1')
    await once(client.#server, 'listening')
    return client
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Everything ends without a word, as with SIGINT. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #onAccepted(tcp: Socket): void {
    this.#sockets.add(tcp)
    tcp.on('error', () => {}).once('close', () => this.#sockets.delete(tcp))
    if (this.#options.generation === 'v0.2.2') void this.#serve(tcp)
    else this.#serveOnce(tcp).catch(() => undefined)
  }

  async #serve(tcp: Socket): Promise<void> {
    const pump = new FramingPump(tcp, { onStall: 'drop' })
    this.pumps.push(pump.facts)
    const { signal } = this.#stop
    signal.addEventListener('abort', () => pump.stop())
    await reconnectForEver({ ...this.#options, signal, onPost: () => this.#countPost() }, async (socket) => {
      this.openWebsockets += 1
      pumpToTcp(socket, tcp, { takesText: true })
      pump.attach(socket)
      await once(socket, 'close')
      pump.detach()
      this.openWebsockets -= 1
    })
  }

  async #serveOnce(tcp: Socket): Promise<void> {
    const { access, token } = this.#options
    const { signal } = this.#stop
    tcp.pause()
    this.#countPost()
    const socket = await dialWebsocket(await postForUri(access, token, signal), signal)
    this.openWebsockets += 1
    socket.once('close', () => (this.openWebsockets -= 1))
    pumpToTcp(socket, tcp, { takesText: false })
    pumpToWebsocket(tcp, socket)
    tcp.resume()
  }

  #countPost(): void {
    this.posts += 1
  }
}
