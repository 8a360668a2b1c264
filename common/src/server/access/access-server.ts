import fastifyCors from '@fastify/cors'
import type { Clock } from '../../clock.ts'
import { listen } from '../../listen.ts'
import type { Log } from '../../log.ts'
import type { KeyRing } from '../../token/key-ring.ts'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { answerClientError } from '../answer-client-error.ts'
import { type ClientAddress, limitKey } from '../client-address.ts'
import { type AccessAnswer, refuse } from './access-answer.ts'
import { type MethodsByPath, methodsOf, routeTarget } from './access-path.ts'
import { type Authorised, type AuthoriseOptions, authorise, type BearerUse } from './authorise.ts'
import { addDocuments, type ApiDocuments } from './documents.ts'
import { addHealthRoutes } from './health-routes.ts'
import { mediaTypeRefusal } from './negotiation.ts'
import { type RateLimit, RateLimiter } from './rate-limiter.ts'

export interface AccessServerOptions {
  readonly port: number
  /** Undefined: every address. */
  readonly host: string | undefined
  /** A socket that listens already, in place of host and port. */
  readonly fd: number | undefined
  readonly audience: string
  readonly bearer: BearerUse
  /** Origins that get CORS headers; `*` for every one; empty: none, as a proxy adds them. */
  readonly corsOrigins: readonly string[]
  readonly addressLimit: RateLimit
  readonly refusedLimit: RateLimit
}

export interface AccessServerDeps {
  readonly clock: Clock
  readonly log: Log
  /** The keys of this moment. */
  readonly keys: () => KeyRing
  readonly clientAddress: ClientAddress
}

/** What one program serves on its access port, beside the health routes and the documents. */
export interface AccessApi {
  /** Every path, with the methods that it answers. */
  readonly paths: MethodsByPath
  /** Names of all refusals that its routes may give, for the counter. */
  readonly refusals: readonly string[]
  readonly documents: ApiDocuments
  /** What is answered to a token that is none. Default: 401 `token invalid`. */
  readonly refuseToken?: AuthoriseOptions['refuseToken']
  /** Puts the routes on the server. */
  readonly addRoutes: (app: FastifyInstance, context: AccessContext) => void
}

/** What a route may use. */
export interface AccessContext {
  readonly isDraining: () => boolean
  /** Sends an answer as it is, and counts the refusal that it may be. */
  readonly send: (reply: FastifyReply, answer: AccessAnswer) => FastifyReply
  /** Verifies the token and the media types, in the order of the old server; else the answer that says why not. */
  readonly admit: (request: FastifyRequest) => Promise<Admitted>
  readonly countGranted: () => void
  /** Where a request really comes from: the client before the proxies, else the peer. */
  readonly addressOf: (request: FastifyRequest) => string
}

export type Admitted =
  | Extract<Authorised, { ok: true }>
  | { readonly ok: false; readonly answer: AccessAnswer }

declare module 'fastify' {
  interface FastifyRequest {
    /** The header as it came: the framework must not act on it. */
    contentType: string | undefined
    /** Length of the body; its content is never looked at. */
    bodyLength: number
  }
}

/** What the proxies in the field let pages send (spec session 4.3). */
const allowedHeaders = [
  'Authorization',
  'DNT',
  'X-CustomHeader',
  'Keep-Alive',
  'User-Agent',
  'X-Requested-With',
  'If-Modified-Since',
  'Cache-Control',
  'Content-Type',
]
/** A body is never read for its content; browsers send `{}`. */
const maxBodyBytes = 65_536
const maxHeaderBytes = 32_768
const headersTimeoutMs = 10_000
const maxSockets = 4096
/** How long a request that has begun may go on when the server ends. */
const unfinishedMs = 500
/** Most addresses or subjects that a limit keeps apart. */
export const maxLimiterKeys = 50_000

/** An access API (spec session 4 and 10.4, spec shell 4): takes tokens and answers as the old servers did. */
export class AccessServer {
  /** Refused requests since the start, by reason. */
  readonly refused: Record<string, number>
  /** One-time addresses that were given out. */
  granted = 0
  readonly #options: AccessServerOptions
  readonly #deps: AccessServerDeps
  readonly #addressLimiter: RateLimiter
  readonly #refusedLimiter: RateLimiter
  readonly #refuseToken: AuthoriseOptions['refuseToken']
  readonly #app: FastifyInstance
  #isDraining = false

  private constructor(options: AccessServerOptions, api: AccessApi, deps: AccessServerDeps) {
    this.#options = options
    this.#deps = deps
    this.#addressLimiter = new RateLimiter(options.addressLimit, maxLimiterKeys, deps.clock)
    this.#refusedLimiter = new RateLimiter(options.refusedLimit, maxLimiterKeys, deps.clock)
    this.#refuseToken = api.refuseToken ?? refuse.tokenInvalid
    this.refused = Object.fromEntries(api.refusals.map((refusal) => [refusal, 0]))
    this.#app = createApp((request, reply) => this.#refuseAddress(request, reply))
  }

  /** Builds the server and its routes; `listen` starts it. */
  static async create(
    options: AccessServerOptions,
    api: AccessApi,
    deps: AccessServerDeps,
  ): Promise<AccessServer> {
    const server = new AccessServer(options, api, deps)
    await server.#addRoutes(api)
    await server.#app.ready()
    return server
  }

  /** @throws {UnavailableError} when the port cannot be had. */
  async listen(): Promise<number> {
    const { port, host, fd } = this.#options
    return await listen(this.#app.server, { port, host, fd, what: 'the access API' })
  }

  /** From here on nobody gets an address any more; `/readyz` says so. */
  startDraining(): void {
    this.#isDraining = true
  }

  /** Answers what is being asked, cuts what is still unfinished after half a second, and ends. */
  async close(): Promise<void> {
    const { server } = this.#app
    server.close()
    server.closeIdleConnections()
    // A closing server looks at no deadline any more, and waits for a peer that sends nothing until that peer ends.
    const cut = setTimeout(() => server.closeAllConnections(), unfinishedMs)
    await this.#app.close()
    clearTimeout(cut)
    server.closeAllConnections()
  }

  async #addRoutes({ paths, documents, addRoutes }: AccessApi): Promise<void> {
    const app = this.#app
    const { corsOrigins } = this.#options
    if (corsOrigins.length > 0) {
      await app.register(fastifyCors, {
        origin: corsOrigins.includes('*') ? '*' : [...corsOrigins],
        methods: ['GET', 'POST'],
        allowedHeaders: [...allowedHeaders],
        exposedHeaders: ['Retry-After'],
        maxAge: 86_400,
        strictPreflight: false,
      })
    }
    app.addHook('onRequest', async (request, reply) => this.#begin(request, reply))
    app.setNotFoundHandler(async (request, reply) => this.#send(reply, unroutedAnswer(request, paths)))
    app.setErrorHandler(async (error, _request, reply) => this.#send(reply, this.#answerTo(error)))
    const context: AccessContext = {
      isDraining: () => this.#isDraining,
      send: (reply, answer) => this.#send(reply, answer),
      admit: (request) => this.#admit(request),
      addressOf: (request) => this.#addressOf(request),
      countGranted: () => {
        this.granted += 1
      },
    }
    await addDocuments(app, documents)
    addHealthRoutes(app, context)
    addRoutes(app, context)
  }

  async #begin(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
    // The framework would refuse types that the old server lets pass on an empty body.
    request.contentType = request.headers['content-type']
    delete request.headers['content-type']
    const verdict = this.#addressLimiter.take(this.#limitKeyOf(request))
    return verdict.ok ? undefined : this.#send(reply, refuse.tooManyRequests(verdict.retryAfterMs))
  }

  /** The router asks no hook about an address that it cannot read: it is limited and counted here. */
  #refuseAddress(request: FastifyRequest, reply: FastifyReply): void {
    const verdict = this.#addressLimiter.take(this.#limitKeyOf(request))
    this.#send(reply, verdict.ok ? refuse.badAddress() : refuse.tooManyRequests(verdict.retryAfterMs))
  }

  async #admit(request: FastifyRequest): Promise<Admitted> {
    const { keys, clock } = this.#deps
    const authorised = await authorise(request.headers.authorization, {
      keys: keys(),
      audience: this.#options.audience,
      bearer: this.#options.bearer,
      refuseToken: this.#refuseToken,
      nowMs: clock.nowMs(),
    })
    if (!authorised.ok) {
      // Who brings many bad tokens is slowed down; tokens that are good pass all the same, from the same address too.
      const verdict = this.#refusedLimiter.take(this.#limitKeyOf(request))
      this.#deps.log.debug({ fault: authorised.fault }, 'token refused')
      return verdict.ok ? authorised : { ok: false, answer: refuse.tooManyRequests(verdict.retryAfterMs) }
    }
    const refusal = mediaTypeRefusal({
      contentType: request.contentType,
      accept: request.headers.accept,
      bodyLength: request.bodyLength,
    })
    return refusal === undefined ? authorised : { ok: false, answer: refusal }
  }

  #limitKeyOf(request: FastifyRequest): string {
    return limitKey(this.#addressOf(request))
  }

  #addressOf(request: FastifyRequest): string {
    const forwardedFor = request.headers['x-forwarded-for']
    const header = Array.isArray(forwardedFor) ? forwardedFor.join(',') : (forwardedFor ?? '')
    return this.#deps.clientAddress.of(request.raw.socket.remoteAddress ?? '', header)
  }

  #answerTo(error: unknown): AccessAnswer {
    const { code, statusCode = 500 } = error as { readonly code?: unknown; readonly statusCode?: number }
    if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return refuse.bodyTooLarge(maxBodyBytes)
    if (statusCode >= 400 && statusCode < 500) return refuse.badBody()
    this.#deps.log.error({ error }, 'request failed')
    return refuse.internal()
  }

  #send(reply: FastifyReply, answer: AccessAnswer): FastifyReply {
    if (answer.refusal !== undefined) this.refused[answer.refusal] = (this.refused[answer.refusal] ?? 0) + 1
    return sendAnswer(reply, answer)
  }
}

/** Sends an answer as it is: no header or byte is added by the framework. */
function sendAnswer(reply: FastifyReply, { status, body, headers = {} }: AccessAnswer): FastifyReply {
  reply.code(status)
  for (const [name, value] of Object.entries(headers)) reply.header(name, value)
  return status === 204 ? reply.send() : reply.send(Buffer.from(body))
}

function unroutedAnswer(request: FastifyRequest, paths: MethodsByPath): AccessAnswer {
  const allowed = methodsOf(request.url, paths)
  if (allowed !== undefined) return refuse.methodNotAllowed(request.method, allowed)
  return refuse.notFound((request.originalUrl.split('?', 1)[0] ?? '').slice(0, 200))
}

function createApp(refuseAddress: (request: FastifyRequest, reply: FastifyReply) => void): FastifyInstance {
  const app = Fastify({
    logger: false,
    bodyLimit: maxBodyBytes,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: maxHeaderBytes },
    rewriteUrl: (request) => routeTarget(request.url ?? '/'),
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    keepAliveTimeout: 15_000,
    requestTimeout: headersTimeoutMs * 2,
    http: {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: headersTimeoutMs,
      connectionsCheckingInterval: 2000,
    },
    // Only for addresses that cannot be decoded: the router asks nobody else about them.
    frameworkErrors: (_error, request, reply) => refuseAddress(request, reply),
    clientErrorHandler: answerClientError,
  })
  app.server.maxConnections = maxSockets
  app.decorateRequest('contentType', undefined)
  app.decorateRequest('bodyLength', 0)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    request.bodyLength = body.length
    done(null, undefined)
  })
  return app
}
