import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { listen } from '@relay/common/listen'

/** `stalled`: nothing gets through and nobody is told, as when a cable is cut somewhere between. `cut`: all is reset. */
export type LinkState =
  | { readonly kind: 'open' }
  | { readonly kind: 'stalled' }
  | { readonly kind: 'cut' }
  /** Each way. */
  | { readonly kind: 'slow'; readonly bytesPerSec: number }
  /** Each portion of bytes comes so much later. */
  | { readonly kind: 'laggy'; readonly delayMs: number }

const host = '127.0.0.1'

/**
 * The network between two programs: forwards TCP connections, and breaks on request. Invariants: it holds no more than
 * one portion of bytes for each direction; all its connections are gone when it is disposed.
 */
export class LinkForwarder implements AsyncDisposable {
  readonly #servers: Server[] = []
  readonly #sockets = new Set<Socket>()
  readonly #ended = new AbortController()
  #state: LinkState = { kind: 'open' }
  #changed = Promise.withResolvers<void>()

  /** Forwards connections to `toPort` of loopback; gives the port to connect to. */
  async forward(toPort: number): Promise<number> {
    const server = createServer({ allowHalfOpen: true }, (client) => void this.#serve(client, toPort))
    this.#servers.push(server)
    await listen(server, { port: 0, host, what: 'a forwarded port' })
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  /** From now on, for open connections and for new ones. */
  set(state: LinkState): void {
    this.#state = state
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
    if (state.kind === 'cut') for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort()
    this.set({ kind: 'cut' })
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))))
  }

  async #serve(client: Socket, toPort: number): Promise<void> {
    this.#own(client)
    if (this.#state.kind === 'cut') {
      client.resetAndDestroy()
      return
    }
    await this.#pass(0)
    if (client.destroyed) return
    const target = connect({ port: toPort, host, allowHalfOpen: true })
    this.#own(target)
    await Promise.all([this.#pump(client, target), this.#pump(target, client)])
  }

  #own(socket: Socket): void {
    this.#sockets.add(socket)
    socket.setNoDelay(true)
    // Its end is seen by the pumps; an error without a listener would end the process.
    socket.on('error', () => undefined)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  /** Until `from` has ended in order, which is passed on; where either breaks, both are reset. */
  async #pump(from: Socket, to: Socket): Promise<void> {
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        await this.#pass(chunk.length)
        if (!to.write(chunk)) await once(to, 'drain', { signal: this.#ended.signal })
      }
      await this.#pass(0)
      to.end()
    } catch {
      await this.#pass(0)
      from.resetAndDestroy()
      to.resetAndDestroy()
    }
  }

  /** Waits until so many bytes may pass. */
  async #pass(bytes: number): Promise<void> {
    while (this.#state.kind === 'stalled' && !this.#ended.signal.aborted) await this.#changed.promise
    const state = this.#state
    const delayMs =
      state.kind === 'slow'
        ? (bytes / state.bytesPerSec) * 1000
        : state.kind === 'laggy' && bytes > 0
          ? state.delayMs
          : 0
    // A link that is well again hurries.
    if (delayMs > 0) await Promise.race([sleep(delayMs, undefined, { ref: false }), this.#changed.promise])
  }
}
