import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { hostname } from 'node:os'
import type { Clock } from '@relay/common/clock'
import { describeError } from '@relay/common/errors'
import type { Log } from '@relay/common/log'
import { type WebSocket, WebSocketServer } from 'ws'
import { DropReport } from '../drop-report.ts'
import { type FeedHub, isStream } from '../feeds/feed-hub.ts'
import type { DestinationRules, StreamRules } from '../feeds/rules.ts'
import type { ErrorTexts } from './admin-command.ts'
import { AdminFeed } from './admin-feed.ts'
import { type Answer, emptyAnswer, textAnswer } from './answer.ts'
import { answerRest, type RestRoute, showsTokens } from './answer-rules.ts'
import { type GuardPolicy, guardRequest, isLoopbackAddress, originOf } from './guard-request.ts'
import { judgeUpgrade } from './judge-upgrade.ts'
import { LocalClient, type LocalClientCounters } from './local-client.ts'
import type { Exchange, LocalConnection } from './local-connection.ts'
import { defaultLimits, type LocalLimits, maxMessageBytes } from './local-limits.ts'
import { LocalListener } from './local-listener.ts'
import { type PeerIsRoot, peerIsRoot } from './peer-is-root.ts'
import { type ReadBody, readBody } from './read-body.ts'
import { parseRequestTarget } from './request-target.ts'
import { routeRequest } from './route.ts'
import { RuleDesk } from './rule-desk.ts'
import { sendAnswer } from './send-answer.ts'
import { Upload, type UploadCounters } from './upload.ts'

export interface LocalApiOptions {
  /** An address; `localhost` for both loopback addresses; undefined for every address of the machine. */
  readonly host: string | undefined
  /** 0 takes a free port. */
  readonly port: number
  /** Origins whose web pages may use the API, such as `https://lab.example.org`. */
  readonly allowedOrigins?: readonly string[]
  /** Names beside `localhost` under which the API may be addressed. */
  readonly allowedHosts?: readonly string[]
  readonly errorTexts?: ErrorTexts
  readonly limits?: Partial<LocalLimits>
}

export interface LocalApiDeps {
  readonly hub: FeedHub
  readonly destinations: DestinationRules
  readonly streams: StreamRules
  readonly clock: Clock
  readonly log: Log
  /** Default: asks the kernel who owns the other end. */
  readonly peerIsRoot?: PeerIsRoot
}

/** What is going on at the local API. */
export interface LocalApiStatus {
  readonly connections: number
  readonly uploads: readonly UploadCounters[]
  readonly clients: readonly LocalClientCounters[]
  readonly refusedRequests: number
  readonly refusedConnections: number
  readonly droppedMessages: number
  readonly droppedCommands: number
}

/**
 * The agent's API for the programs of its own machine: rules by REST, uploads, websockets, and the feed `api`
 * (spec session 7).
 *
 * Invariants: whatever one client sends, or does not read, costs the others nothing; once `close` has resolved no
 * socket, timer or place on a feed is left.
 */
export class LocalApi {
  readonly #limits: LocalLimits
  readonly #policy: GuardPolicy
  readonly #deps: LocalApiDeps
  readonly #desk: RuleDesk
  readonly #admin: AdminFeed
  readonly #websockets: WebSocketServer
  readonly #drops: DropReport
  readonly #clients = new Set<LocalClient>()
  /** With what resolves when the upload is over. */
  readonly #uploads = new Map<Upload, Promise<void>>()
  #listener: LocalListener | undefined
  #isClosing = false
  #lastMember = 0
  #refusedRequests = 0
  #refusedConnections = 0
  #droppedMessages = 0

  private constructor(options: LocalApiOptions, deps: LocalApiDeps) {
    this.#limits = { ...defaultLimits, ...options.limits }
    this.#policy = guardPolicy(options)
    this.#deps = deps
    this.#desk = new RuleDesk(this.#limits, deps)
    this.#admin = new AdminFeed(options.errorTexts ?? 'v0.2', { hub: deps.hub, desk: this.#desk })
    this.#drops = new DropReport({ part: 'local API' }, deps)
    this.#websockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      // Serial adaptors put bytes that are no UTF-8 into text (spec session 6.2).
      skipUTF8Validation: true,
      maxPayload: maxMessageBytes,
      handleProtocols: (protocols) => (protocols.has('null') ? 'null' : false),
    })
  }

  /** Starts listening. @throws {UnavailableError} see `listen` of the common package. */
  static async open(options: LocalApiOptions, deps: LocalApiDeps): Promise<LocalApi> {
    const api = new LocalApi(options, deps)
    try {
      api.#listener = await LocalListener.open(
        { host: options.host, port: options.port, ...api.#limits },
        {
          request: (exchange, connection) => api.#serve(exchange, connection),
          shouldUpgrade: (request) => api.#judgeUpgrade(request).ok,
          upgrade: (request, socket, head) => api.#upgrade(request, socket, head),
          connectionRefused: () => api.#refuseConnection(),
          fault: (error) => deps.log.error({ error }, 'local API failed to accept a connection'),
        },
      )
    } catch (error) {
      api.#admin.close()
      throw error
    }
    return api
  }

  get port(): number {
    return this.#listener?.port ?? 0
  }

  get status(): LocalApiStatus {
    return {
      connections: this.#listener?.connectionCount ?? 0,
      uploads: [...this.#uploads.keys()].map(({ counters }) => counters),
      clients: [...this.#clients].map(({ counters }) => counters),
      refusedRequests: this.#refusedRequests,
      refusedConnections: this.#refusedConnections,
      droppedMessages: this.#droppedMessages,
      droppedCommands: this.#admin.droppedCommands,
    }
  }

  /** Closes websockets with 1001, then everything else. */
  async close(): Promise<void> {
    this.#isClosing = true
    this.#admin.close()
    await Promise.all([...this.#clients].map((client) => client.close()))
    await this.#listener?.close()
    await Promise.all(this.#uploads.values())
    this.#drops.stop()
  }

  #serve(exchange: Exchange, connection: LocalConnection): void {
    const { request } = exchange
    const send = (answer: Answer, isBodyRead = false): void => {
      sendAnswer(exchange, answer, {
        isBodyRead,
        timeoutMs: this.#limits.answerTimeoutMs,
        clock: this.#deps.clock,
      })
    }
    const target = parseRequestTarget(request.url ?? '')
    if (target === undefined) {
      send(textAnswer(400, '400 Bad Request'))
      return
    }
    const verdict = guardRequest(originOf(request.headers, target.host), this.#policy)
    if (!verdict.ok) {
      this.#refuseRequest(verdict.reason)
      send(textAnswer(403, verdict.sentence))
      return
    }
    const route = routeRequest(request.method ?? '', target)
    switch (route.kind) {
      case 'upload':
        this.#receive(route.feed, request, send)
        return
      case 'websocket': {
        const judged = this.#judgeUpgrade(request)
        // An upgrade that is fine is not served here.
        send(judged.ok ? emptyAnswer(400) : judged.answer)
        return
      }
      case 'put-rule': {
        const { maxBodyBytes, bodyTimeoutMs } = this.#limits
        const limits = { maxBytes: maxBodyBytes, timeoutMs: bodyTimeoutMs }
        void readBody(request, limits, this.#deps.clock).then((read) => {
          if (read.ok) send(this.#answer(route, read.body), true)
          else send(this.#refuseBody(read))
        })
        return
      }
      default:
        if (!showsTokens(route, this.#desk)) {
          send(this.#answer(route))
          return
        }
        void this.#maySeeTokens(connection).then((maySeeTokens) => {
          send(this.#answer(route, undefined, maySeeTokens))
        })
    }
  }

  #answer(route: RestRoute, body: Buffer = Buffer.alloc(0), maySeeTokens = false): Answer {
    const answer = answerRest({ route, body, maySeeTokens }, this.#desk)
    if (route.kind === 'put-rule' || route.kind === 'delete-rule' || route.kind === 'delete-rules') {
      this.#deps.log.info(
        { request: route.kind, of: route.of, status: answer.status },
        'rules requested to change',
      )
    }
    return answer
  }

  async #maySeeTokens(connection: LocalConnection): Promise<boolean> {
    try {
      return await (this.#deps.peerIsRoot ?? peerIsRoot)(connection)
    } catch (error) {
      this.#deps.log.warn({ reason: describeError(error) }, 'owner of a connection cannot be found out')
      return false
    }
  }

  #refuseBody(read: Extract<ReadBody, { ok: false }>): Answer {
    if (read.problem === 'too-slow') return textAnswer(408, 'the body of the request did not come in time')
    return textAnswer(413, `the body of the request is larger than ${this.#limits.maxBodyBytes} bytes`)
  }

  #receive(
    feed: string,
    request: IncomingMessage,
    send: (answer: Answer, isBodyRead?: boolean) => void,
  ): void {
    if (isStream(feed)) {
      send(textAnswer(400, `${feed} is a stream, a list of feeds; upload to one of its feeds`))
      return
    }
    if (this.#uploads.size >= this.#limits.maxUploads) {
      this.#refuseRequest('uploads')
      send(textAnswer(503, `there are ${this.#uploads.size} uploads already, which is the limit`))
      return
    }
    const { hub, clock, log } = this.#deps
    const { maxUploadMessageBytes, flushAfterMs } = this.#limits
    const name = this.#nextName()
    const upload = new Upload(
      { name, feed, maxMessageBytes: maxUploadMessageBytes, flushAfterMs },
      { hub, clock },
    )
    log.info({ feed, upload: name }, 'upload began')
    const ended = upload.run(request).then((isComplete) => {
      this.#uploads.delete(upload)
      log.info({ upload: name, isComplete, ...upload.counters }, 'upload ended')
      if (isComplete) send(emptyAnswer(200), true)
    })
    this.#uploads.set(upload, ended)
  }

  #judgeUpgrade(request: IncomingMessage): ReturnType<typeof judgeUpgrade> {
    return judgeUpgrade(request, {
      policy: this.#policy,
      isFull: this.#isClosing || this.#clients.size >= this.#limits.maxClients,
    })
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const judged = this.#judgeUpgrade(request)
    if (!judged.ok) {
      socket.destroy()
      return
    }
    this.#websockets.handleUpgrade(request, socket, head, (websocket) => this.#join(judged.feed, websocket))
    socket.resume()
  }

  #join(feed: string, socket: WebSocket): void {
    const { hub, clock, log } = this.#deps
    const name = this.#nextName()
    const onDrop = (): void => {
      this.#droppedMessages += 1
      this.#drops.count('local client reads too slowly')
    }
    const client = new LocalClient({ name, feed, ...this.#limits }, { socket, hub, clock, onDrop })
    this.#clients.add(client)
    log.info({ feed, client: name }, 'local client joined')
    void client.closed.then(() => {
      this.#clients.delete(client)
      log.info({ client: name, ...client.counters }, 'local client left')
    })
  }

  #nextName(): string {
    this.#lastMember += 1
    return `local-${this.#lastMember}`
  }

  #refuseConnection(): void {
    this.#refusedConnections += 1
    if (this.#refusedConnections === 1) {
      this.#deps.log.warn(
        { limit: this.#limits.maxConnections },
        'too many local connections, more are refused',
      )
    }
  }

  /** The first one is told; the counter keeps the rest, or a page that tries for ever would fill the log. */
  #refuseRequest(reason: string): void {
    this.#refusedRequests += 1
    if (this.#refusedRequests === 1) this.#deps.log.warn({ reason }, 'local request refused')
  }
}

function guardPolicy({ host, allowedHosts = [], allowedOrigins = [] }: LocalApiOptions): GuardPolicy {
  const isLocal = host !== undefined && (host === 'localhost' || isLoopbackAddress(host))
  const own = isLocal ? [] : [hostname(), `${hostname()}.local`]
  return {
    hostNames: new Set([...own, ...allowedHosts].map((name) => name.toLowerCase())),
    allowsAnyAddress: !isLocal,
    origins: new Set(allowedOrigins),
  }
}
