import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { UnavailableError } from '@relay/common/errors'
import { listen } from '@relay/common/listen'
import type { PlainAnswer } from '@relay/common/metrics-server'
import { guardRequest } from '../local-api/guard-request.ts'
import { isEveryAddress, isPrivateAddress } from './private-address.ts'
import { pagePolicy, statusPage } from './status-page.ts'
import type { StatusReport } from './status-report.ts'

export interface StatusPageOptions {
  /** An address or name of this machine; `*` for every one. */
  readonly host: string
  readonly port: number
  /** Serves whoever comes, at any address; else only neighbours of a local network. */
  readonly allowPublic: boolean
  /** Names beside its own under which this machine may be addressed. */
  readonly allowedHosts: readonly string[]
  /** Of this machine. */
  readonly hostName: string
}

export interface StatusPageDeps {
  readonly report: () => StatusReport
  /** What is served beside the page, by path. */
  readonly probes: Readonly<Record<string, () => PlainAnswer>>
  /** Somebody from outside of the local network was turned away. */
  readonly onRefusedPeer: () => void
  readonly monotonicMs: () => number
  /** Whether an address is one of a local network. */
  readonly isNeighbour?: (address: string) => boolean
}

const maxConnections = 32
/** However many look, the page is made once in this time. */
const madeEveryMs = 500
const timeoutMs = 10_000

/**
 * The page of the status on the network of the laboratory.
 *
 * Invariants: nothing is changed by any request; a peer outside of private networks gets no byte, unless that was
 * allowed; a page of elsewhere cannot read it under a name that was made to point here.
 */
export class StatusPageServer {
  readonly port: number
  readonly #server: Server

  private constructor(port: number, server: Server) {
    this.port = port
    this.#server = server
  }

  /** @throws {UnavailableError} `STATUS_PAGE_PUBLIC`, and as `listen` does. */
  static async open(options: StatusPageOptions, deps: StatusPageDeps): Promise<StatusPageServer> {
    const { host, port, allowPublic } = options
    const { isNeighbour = isPrivateAddress } = deps
    const server = createServer(pageHandler(options, deps))
    server.on('connection', (socket: Socket) => {
      if (allowPublic || isNeighbour(socket.remoteAddress ?? '')) return
      deps.onRefusedPeer()
      socket.destroy()
    })
    server.headersTimeout = timeoutMs
    server.requestTimeout = timeoutMs
    server.keepAliveTimeout = timeoutMs
    server.setTimeout(timeoutMs)
    server.maxConnections = maxConnections
    const listensAt = host === '*' ? undefined : host
    const chosen = await listen(server, { host: listensAt, port, what: 'the status page' })
    const page = new StatusPageServer(chosen, server)
    if (!allowPublic && !isEveryAddress(host) && !isNeighbour(addressOf(server))) {
      await page.close()
      throw new UnavailableError(
        'STATUS_PAGE_PUBLIC',
        `${host} is a public address, and the status page is for local networks; choose another statusPage.host, or set statusPage.allowPublic`,
      )
    }
    return page
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }
}

function pageHandler({ allowedHosts, hostName }: StatusPageOptions, deps: StatusPageDeps) {
  const own = hostName.toLowerCase()
  const policy = {
    hostNames: new Set([own, `${own}.local`, ...allowedHosts.map((name) => name.toLowerCase())]),
    // An address cannot be made to point elsewhere, as a name can.
    allowsAnyAddress: true,
    origins: new Set<string>(),
  }
  const probes = new Map(Object.entries(deps.probes))
  const headers = pageHeaders()
  const page = madeNowAndThen(() => statusPage(deps.report()), deps.monotonicMs)
  return (request: IncomingMessage, response: ServerResponse): void => {
    const answer = (status: number, text: string, type = 'text/plain; charset=utf-8'): void => {
      response.writeHead(status, { ...headers, 'content-type': type }).end(text)
    }
    const verdict = guardRequest(
      { host: request.headers.host, origin: undefined, fetchSite: undefined },
      policy,
    )
    const path = request.url?.split('?')[0] ?? ''
    const probe = probes.get(path)
    if (!verdict.ok) answer(421, `${verdict.sentence} (statusPage.allowedHosts)\n`)
    else if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD')
      answer(405, 'this page can only be read\n')
    } else if (path === '/') answer(200, page(), 'text/html; charset=utf-8')
    else if (probe !== undefined) {
      const { status, body, contentType } = probe()
      answer(status, body, contentType)
    } else answer(404, 'there is only / here\n')
  }
}

function pageHeaders(): Readonly<Record<string, string>> {
  return {
    'content-security-policy': pagePolicy(),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
  }
}

function madeNowAndThen(make: () => string, monotonicMs: () => number): () => string {
  let made = { text: '', atMs: Number.NEGATIVE_INFINITY }
  return () => {
    const nowMs = monotonicMs()
    if (nowMs - made.atMs >= madeEveryMs) made = { text: make(), atMs: nowMs }
    return made.text
  }
}

function addressOf(server: Server): string {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.address : ''
}
