import { errorCode, UnavailableError } from '@relay/common/errors'
import { fastify, type FastifyInstance } from 'fastify'
import { allowedHost } from './allowed-host.ts'
import type { PageFiles } from './page-files.ts'

export interface PageServerDeps {
  readonly files: PageFiles
  /** Name of this machine, under which its page may be asked for. */
  readonly machineName: string
  /** Where somebody who asks for `/` is sent, given the host name by which they know this machine. */
  readonly addressFor: (host: string) => Promise<string>
}

/** The web server of the laboratory: the page, and `/`, which lets in whoever asks. */
export class PageServer implements AsyncDisposable {
  readonly #app: FastifyInstance

  constructor(deps: PageServerDeps) {
    this.#app = fastify({ bodyLimit: 1024, requestTimeout: 10_000, forceCloseConnections: true })
    this.#app.addHook('onRequest', async (request, reply) => {
      if (allowedHost(request.headers.host, deps.machineName) !== undefined) return undefined
      return reply.code(421).type('text/plain').send('ask for this page by the address that was printed\n')
    })
    this.#app.addHook('onSend', async (_request, reply) => {
      reply
        .header('x-content-type-options', 'nosniff')
        .header('referrer-policy', 'no-referrer')
        // Nobody lays this page, with its live controls, under a click meant for another one.
        .header('content-security-policy', "frame-ancestors 'none'")
    })
    this.#app.get('/', async (request, reply) => {
      const host = allowedHost(request.headers.host, deps.machineName) ?? 'localhost'
      // Tokens are in it: nobody may keep it.
      return reply.header('cache-control', 'no-store').redirect(await deps.addressFor(host), 302)
    })
    this.#app.get('/*', async (request, reply) => {
      const path = request.url.split('?')[0] ?? ''
      const file = deps.files.get(path)
      if (file === undefined) {
        return reply.code(404).type('text/plain').send('there is no such page; the laboratory is at /\n')
      }
      // Names of assets change with their content; that of the page does not.
      const caching = path.endsWith('.html') ? 'no-cache' : 'max-age=31536000, immutable'
      return reply.header('cache-control', caching).type(file.type).send(file.bytes)
    })
  }

  /**
   * Starts listening and gives the port.
   * @param port 0 takes a free one.
   * @throws {UnavailableError} `PORT_IN_USE`, `PORT_FORBIDDEN` or `LISTEN_FAILED`.
   */
  async listen(port: number, host: string): Promise<number> {
    try {
      await this.#app.listen({ port, host })
    } catch (cause) {
      throw listenError(port, cause)
    }
    const address = this.#app.server.address()
    return typeof address === 'object' && address !== null ? address.port : port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#app.close()
  }
}

function listenError(port: number, cause: unknown): UnavailableError {
  const code = errorCode(cause)
  if (code === 'EADDRINUSE') {
    return new UnavailableError(
      'PORT_IN_USE',
      `port ${port} is in use by another program: give another with --port`,
    )
  }
  if (code === 'EACCES') {
    return new UnavailableError(
      'PORT_FORBIDDEN',
      `port ${port} needs privileges: give one above 1023 with --port`,
    )
  }
  return new UnavailableError('LISTEN_FAILED', `port ${port} cannot be opened`, { cause })
}
