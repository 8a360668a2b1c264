import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { systemClock } from '@relay/common/clock'
import { type Log, silentLog } from '@relay/common/log'
import { WebSocket } from 'ws'
import { FeedHub, type Message } from '../src/feeds/feed-hub.ts'
import { type DestinationRule, DestinationRules, StreamRules } from '../src/feeds/rules.ts'
import { LocalApi, type LocalApiDeps, type LocalApiOptions } from '../src/local-api/local-api.ts'

export interface OpenOptions {
  readonly options?: Partial<LocalApiOptions>
  readonly deps?: Partial<Pick<LocalApiDeps, 'clock' | 'log' | 'peerIsRoot'>>
  readonly keptIds?: ReadonlySet<string>
}

/** A local API on a free port of 127.0.0.1, with a real hub and real rules whose links do nothing. */
export class LocalApiFixture implements AsyncDisposable {
  readonly api: LocalApi
  readonly hub: FeedHub
  readonly destinations: DestinationRules
  readonly streams: StreamRules
  /** Rules whose links were started, in order. */
  readonly started: readonly DestinationRule[]
  readonly #sockets = new Set<WebSocket | Socket>()

  private constructor(parts: Pick<LocalApiFixture, 'api' | 'hub' | 'destinations' | 'streams' | 'started'>) {
    this.api = parts.api
    this.hub = parts.hub
    this.destinations = parts.destinations
    this.streams = parts.streams
    this.started = parts.started
  }

  static async open({ options, deps, keptIds = new Set() }: OpenOptions = {}): Promise<LocalApiFixture> {
    const hub = new FeedHub()
    const started: DestinationRule[] = []
    const destinations = new DestinationRules({
      prepare: (rule) => {
        if (rule.file.includes('..'))
          return { ok: false, refusal: `file "${rule.file}" is outside of the recordings` }
        const start = () => {
          started.push(rule)
          return { stop: () => Promise.resolve() }
        }
        return { ok: true, start }
      },
      keptIds,
    })
    const streams = new StreamRules(hub)
    const log: Log = silentLog()
    const api = await LocalApi.open(
      { host: '127.0.0.1', port: 0, ...options },
      { hub, destinations, streams, clock: systemClock, log, ...deps },
    )
    return new LocalApiFixture({ api, hub, destinations, streams, started })
  }

  get url(): string {
    return `http://127.0.0.1:${this.api.port}`
  }

  /** Everything that is published on a feed from now on. */
  listen(feed: string): Listener {
    const listener = new Listener()
    this.hub.join(feed, listener)
    return listener
  }

  /** A websocket to `/ws/<feed>`, open; its messages are kept from the first one on. */
  async dial(
    feed: string,
    options: { readonly protocols?: string[]; readonly origin?: string } = {},
  ): Promise<LocalPeer> {
    const { protocols = [], ...rest } = options
    const socket = new WebSocket(`ws://127.0.0.1:${this.api.port}/ws/${feed}`, protocols, {
      skipUTF8Validation: true,
      ...rest,
    })
    this.#sockets.add(socket)
    const peer = new LocalPeer(socket)
    await once(socket, 'open')
    return peer
  }

  /** A bare TCP connection; what comes back is gathered as text. */
  async connect(): Promise<RawConnection> {
    const socket = connect(this.api.port, '127.0.0.1')
    this.#sockets.add(socket)
    const raw = new RawConnection(socket)
    await once(socket, 'connect')
    return raw
  }

  /** Sends one request as it is written here and gives all that comes until the server closes. */
  async raw(request: string): Promise<string> {
    const connection = await this.connect()
    connection.socket.write(request)
    await connection.closed
    return connection.text
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) {
      if (socket instanceof WebSocket) socket.terminate()
      else socket.destroy()
    }
    await this.api.close()
    await this.destinations.close()
  }
}

/** Waits for things to become true as messages come. */
class Waiters {
  readonly #waiting = new Set<() => void>()

  notify(): void {
    for (const check of this.#waiting) check()
  }

  until(isTrue: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!isTrue()) return
        this.#waiting.delete(check)
        resolve()
      }
      this.#waiting.add(check)
      check()
    })
  }
}

/** A member of a feed that keeps everything. */
export class Listener {
  readonly name = 'listener'
  readonly messages: Message[] = []
  readonly #waiters = new Waiters()

  deliver(message: Message): void {
    this.messages.push(message)
    this.#waiters.notify()
  }

  get bytes(): Buffer {
    return Buffer.concat(this.messages.map(({ data }) => data))
  }

  async count(messages: number): Promise<void> {
    await this.#waiters.until(() => this.messages.length >= messages)
  }

  async size(bytes: number): Promise<void> {
    await this.#waiters.until(() => this.messages.reduce((sum, { data }) => sum + data.length, 0) >= bytes)
  }
}

/** The client end of a websocket. */
export class LocalPeer {
  readonly socket: WebSocket
  readonly messages: Message[] = []
  readonly closed: Promise<number>
  readonly #waiters = new Waiters()

  constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (data: Buffer, binary: boolean) => {
      this.messages.push({ data, binary })
      this.#waiters.notify()
    })
    socket.on('error', () => undefined)
    this.closed = new Promise((resolve) => {
      socket.once('close', resolve)
    })
  }

  get texts(): readonly string[] {
    return this.messages.map(({ data }) => data.toString())
  }

  async count(messages: number): Promise<void> {
    await this.#waiters.until(() => this.messages.length >= messages)
  }

  /** Sends and gives the next message that comes. */
  async ask(text: string): Promise<string> {
    const before = this.messages.length
    this.socket.send(text)
    await this.count(before + 1)
    return this.messages[before]?.data.toString() ?? ''
  }
}

/** The client end of a TCP connection. */
export class RawConnection {
  readonly socket: Socket
  readonly closed: Promise<void>
  #text = ''
  readonly #waiters = new Waiters()

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk) => {
      this.#text += chunk.toString('latin1')
      this.#waiters.notify()
    })
    socket.on('error', () => undefined)
    this.closed = new Promise((resolve) => {
      socket.once('close', () => resolve())
    })
  }

  get text(): string {
    return this.#text
  }

  async contains(text: string): Promise<void> {
    await this.#waiters.until(() => this.#text.includes(text))
  }
}

export interface CommandResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a real program to its end; it is killed if the test ends first. */
export async function runCommand(
  command: string,
  args: readonly string[],
  input = '',
): Promise<CommandResult> {
  const child = startCommand(command, args)
  child.stdin?.end(input)
  return await resultOf(child)
}

export function startCommand(command: string, args: readonly string[]): ChildProcess {
  return spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
}

export async function resultOf(child: ChildProcess): Promise<CommandResult> {
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk: Buffer) => void (stdout += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => void (stderr += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}
