import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Mailbox } from './mailbox.ts'
import { loopback } from './raw-http.ts'
import { fillTemplate, type TemplateValues } from './template.ts'

/** What the scripted access server answers to one request. */
export interface ScriptedAnswer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Close the connection without an answer. */
  readonly drop?: boolean
  /** Wait before answering. */
  readonly delayMs?: number
}

/** By path: one answer for every request, or a list with one per request whose last stays. */
export type AccessScript = Readonly<Record<string, ScriptedAnswer | readonly ScriptedAnswer[]>>

/** A request as the host made it; headers by lower-case name. */
export interface AccessRequest {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
  readonly atMs: number
}

/** An access server that answers by script, 404 elsewhere, and records what it was asked. */
export class FakeAccess {
  readonly #server: Server
  readonly #script: AccessScript
  readonly #values: () => TemplateValues
  readonly #mailboxes = new Map<string, Mailbox<AccessRequest>>()
  readonly #seen: AccessRequest[] = []

  /** `values` is asked at each answer: the addresses in a body may be known only later. */
  constructor(script: AccessScript, values: () => TemplateValues) {
    this.#script = script
    this.#values = values
    this.#server = createServer((request, response) => void this.#onRequest(request, response))
  }

  /** Listens on a free port and returns the address without a path. */
  async start(): Promise<string> {
    const listening = Promise.withResolvers<void>()
    this.#server.once('error', listening.reject).listen(0, loopback, listening.resolve)
    await listening.promise
    return `http://${loopback}:${String((this.#server.address() as AddressInfo).port)}`
  }

  /** The next request for the path that nobody has taken. */
  take(path: string, withinMs: number): Promise<AccessRequest | undefined> {
    return this.#mailbox(path).take(withinMs)
  }

  /** Moments of all requests for the path. */
  seenAtMs(path: string): readonly number[] {
    return this.#seen.filter((request) => withoutQuery(request.path) === path).map(({ atMs }) => atMs)
  }

  async stop(): Promise<void> {
    const closed = Promise.withResolvers<void>()
    this.#server.close(() => closed.resolve())
    this.#server.closeAllConnections()
    await closed.promise
  }

  #mailbox(path: string): Mailbox<AccessRequest> {
    const mailbox = this.#mailboxes.get(path) ?? new Mailbox<AccessRequest>()
    this.#mailboxes.set(path, mailbox)
    return mailbox
  }

  async #onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const atMs = performance.now()
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer)
    } catch {
      // The host went away in the middle of its body: nothing to answer, and nothing to record as a request.
      return
    }
    const path = request.url ?? ''
    const headers = lowerCaseHeaders(request)
    const record = {
      method: request.method ?? '',
      path,
      headers,
      body: Buffer.concat(chunks).toString(),
      atMs,
    }
    const earlier = this.seenAtMs(withoutQuery(path)).length
    this.#seen.push(record)
    this.#mailbox(withoutQuery(path)).put(record)
    this.#answer(this.#scripted(withoutQuery(path), earlier), response)
  }

  #scripted(path: string, earlier: number): ScriptedAnswer {
    const script = this.#script[path]
    if (script === undefined) return { status: 404 }
    if (!isList(script)) return script
    return script[Math.min(earlier, script.length - 1)] ?? { status: 404 }
  }

  #answer(
    { status = 200, headers = {}, body = '', drop, delayMs = 0 }: ScriptedAnswer,
    response: ServerResponse,
  ): void {
    const timer = setTimeout(() => {
      if (drop === true) response.destroy()
      else response.writeHead(status, headers).end(fillTemplate(body, this.#values()))
    }, delayMs)
    response.once('close', () => clearTimeout(timer))
  }
}

function isList(script: ScriptedAnswer | readonly ScriptedAnswer[]): script is readonly ScriptedAnswer[] {
  return Array.isArray(script)
}

/** Header names as they came, lower case; several of one name joined with a comma. */
export function lowerCaseHeaders(request: IncomingMessage): ReadonlyMap<string, string> {
  const lists = Object.entries(request.headersDistinct)
  return new Map(lists.map(([name, texts]) => [name, (texts ?? []).join(', ')]))
}

/** The path alone. */
export function withoutQuery(path: string): string {
  return path.split('?', 1)[0] ?? path
}
