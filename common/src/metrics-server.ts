import { createServer, type Server } from 'node:http'
import type { Registry } from 'prom-client'
import { listen } from './listen.ts'

export interface MetricsServerOptions {
  readonly host: string
  readonly port: number
  /** A socket that listens already, in place of host and port. */
  readonly fd?: number | undefined
  /** More that is served, by path: what each answers at the moment of the question. Must hold no secret. */
  readonly more?: Readonly<Record<string, () => PlainAnswer>>
  /** Why a request with such a `Host` header gets nothing; undefined where it does. Default: all do. */
  readonly refusalOf?: (host: string | undefined) => string | undefined
}

export interface PlainAnswer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

/**
 * Serves `GET /metrics` in the Prometheus text format on an address of its own, so that it can stay on loopback.
 * Gives the server, which listens already; the caller closes it.
 * @throws {UnavailableError} as `listen` does.
 */
export async function serveMetrics(
  registry: Registry,
  { host, port, fd, more = {}, refusalOf = () => undefined }: MetricsServerOptions,
): Promise<Server> {
  const answerByPath = new Map(Object.entries(more))
  const server = createServer((request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD', 'content-type': 'text/plain' }).end('use GET\n')
      return
    }
    const refusal = refusalOf(request.headers.host)
    if (refusal !== undefined) {
      response.writeHead(421, { 'content-type': 'text/plain' }).end(`${refusal}\n`)
      return
    }
    const path = request.url?.split('?')[0] ?? ''
    const answer = answerByPath.get(path)?.()
    if (answer !== undefined) {
      response.writeHead(answer.status, { 'content-type': answer.contentType }).end(answer.body)
      return
    }
    if (path !== '/metrics') {
      const paths = ['/metrics', ...answerByPath.keys()].join(', ')
      response.writeHead(404, { 'content-type': 'text/plain' }).end(`only ${paths} is served here\n`)
      return
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      () => response.writeHead(500, { 'content-type': 'text/plain' }).end('a metric cannot be read\n'),
    )
  })
  server.requestTimeout = 10_000
  // A scraper that stops reading gives its place to others.
  server.setTimeout(30_000)
  server.maxConnections = 32
  await listen(server, { host, port, fd, what: 'the metrics' })
  return server
}
