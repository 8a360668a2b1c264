import { Agent, request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { BlockList, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { AppError, ConfigError } from './errors.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export interface ProxyDeps {
  /** Of the process: `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, also in lower case, count. */
  readonly environment: Environment
  /** For reaching the proxy and for its answer. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/**
 * An agent for one request of `http`, `https` or `ws` to `address`, which goes through the proxy of the environment as
 * that of the old host does (spec session 7.6); undefined where none is wanted:
 *
 *     new WebSocket(uri, { agent: proxyAgent(uri, { environment, timeoutMs: 10_000 }) })
 *
 * Always a tunnel (CONNECT), also for plain `ws:`, as proxies drop upgrades otherwise. Node's own switch
 * (`NODE_USE_ENV_PROXY`, `http.setGlobalProxyFromEnv`) does not reach `ws`. Its errors are `PROXY_FAILED`.
 * @throws {ConfigError} `PROXY_INVALID`.
 */
export function proxyAgent(address: string | URL, deps: ProxyDeps): Agent | undefined {
  const target = new URL(address)
  const proxy = proxyFor(target, deps.environment)
  return proxy === undefined ? undefined : new TunnelAgent(target, proxy, deps)
}

type ConnectionDone = (error: Error | null, socket: Socket) => void

class TunnelAgent extends Agent {
  /** What `https` and `http` look at, to refuse the agent of the other. */
  readonly protocol: 'https:' | 'http:'
  readonly #open: () => Promise<Socket>

  constructor(target: URL, proxy: URL, deps: ProxyDeps) {
    super()
    this.protocol = isSecure(target) ? 'https:' : 'http:'
    this.#open = () => openTunnel(target, proxy, deps)
  }

  override createConnection(_options: unknown, done?: ConnectionDone): undefined {
    if (done !== undefined) void this.#connect(done)
    return undefined
  }

  async #connect(done: ConnectionDone): Promise<void> {
    let socket: Socket
    try {
      socket = await this.#open()
    } catch (error) {
      // There is no socket then; the type does not know that.
      done(error as Error, undefined as unknown as Socket)
      return
    }
    done(null, socket)
  }
}

function isSecure({ protocol }: URL): boolean {
  return protocol === 'https:' || protocol === 'wss:'
}

/**
 * The proxy for `target` (http, https, ws or wss), by the rules of the old programs' language: `HTTPS_PROXY` for https
 * and wss, else `HTTP_PROXY`; never for this machine itself; `NO_PROXY` lists names (`lab.org` with all below it,
 * `.lab.org` only what is below), addresses, networks (`10.0.0.0/8`), each with an optional port, or `*`. Pure.
 * @throws {ConfigError} `PROXY_INVALID` naming the variable, never its value: it may hold a password.
 */
export function proxyFor(target: URL, environment: Environment): URL | undefined {
  const upper = isSecure(target) ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  const name = [upper, upper.toLowerCase()].find((variable) => (environment[variable] ?? '') !== '')
  if (name === undefined || isBypassed(target, environment.NO_PROXY || environment.no_proxy || '')) {
    return undefined
  }
  const text = environment[name] ?? ''
  const proxy = URL.parse(text.includes('://') ? text : `http://${text}`)
  if (proxy === null || !/^https?:$/.test(proxy.protocol) || proxy.hostname === '') {
    throw new ConfigError(
      'PROXY_INVALID',
      `${name} is not the address of a proxy such as http://proxy.example.org:3128`,
    )
  }
  return proxy
}

function isBypassed(target: URL, noProxy: string): boolean {
  const host = bareHost(target)
  if (isThisMachine(host)) return true
  const port = portOf(target)
  return noProxy.split(',').some((entry) => bypasses(entry.trim().toLowerCase(), host, port))
}

function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

function bypasses(entry: string, host: string, port: number): boolean {
  if (entry === '') return false
  if (entry === '*') return true
  if (entry.includes('/')) return isInNetwork(host, entry)
  const [, bracketed, plain, entryPort] = /^(?:\[(.+)\]|([^:]*|.*:.*:.*?))(?::([0-9]+))?$/.exec(entry) ?? []
  if (entryPort !== undefined && Number(entryPort) !== port) return false
  const name = (bracketed ?? plain ?? '').replace(/^\*\./, '.')
  if (name === '') return false
  return name.startsWith('.') ? host.endsWith(name) : host === name || host.endsWith(`.${name}`)
}

function isInNetwork(host: string, network: string): boolean {
  const [base = '', bits = ''] = network.split('/')
  const family = isIP(base)
  if (family === 0 || isIP(host) !== family || !/^[0-9]{1,3}$/.test(bits)) return false
  if (Number(bits) > (family === 4 ? 32 : 128)) return false
  const type = family === 4 ? 'ipv4' : 'ipv6'
  const list = new BlockList()
  list.addSubnet(base, Number(bits), type)
  return list.check(host, type)
}

/** Without the brackets of an IPv6 address. */
function bareHost({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase()
}

function portOf(url: URL): number {
  return url.port === '' ? (isSecure(url) ? 443 : 80) : Number(url.port)
}

/** A connection to `target` through `proxy`, with TLS inside where the target wants it. */
async function openTunnel(target: URL, proxy: URL, deps: ProxyDeps): Promise<Socket> {
  const socket = await connectThrough(proxy, `${target.hostname}:${portOf(target)}`, deps)
  if (!isSecure(target)) return socket
  const host = bareHost(target)
  return connectTls({ socket, host, servername: isIP(host) === 0 ? host : '', ALPNProtocols: ['http/1.1'] })
}

function connectThrough(proxy: URL, authority: string, { timeoutMs, signal }: ProxyDeps): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const failed = (why: string, cause?: unknown): void =>
      reject(new AppError('PROXY_FAILED', `the proxy ${proxy.host} ${why}`, { cause }))
    const request = (proxy.protocol === 'https:' ? httpsRequest : httpRequest)({
      method: 'CONNECT',
      host: bareHost(proxy),
      port: portOf(proxy),
      path: authority,
      headers: { host: authority, ...proxyAuthorization(proxy) },
      agent: false,
      ...(signal === undefined ? {} : { signal }),
    })
    const deadline = setTimeout(
      () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)),
      timeoutMs,
    )
    request.on('close', () => clearTimeout(deadline))
    request.on('error', (cause) => failed('cannot be reached', cause))
    // Without this a refusal with a body would wait for somebody to read it.
    request.on('response', (response) => {
      response.destroy()
      failed(`answered ${response.statusCode}`)
    })
    request.on('connect', (response, socket, head) => {
      clearTimeout(deadline)
      const { statusCode = 0 } = response
      if (statusCode >= 200 && statusCode < 300) {
        if (head.length > 0) socket.unshift(head)
        resolve(socket)
      } else {
        socket.destroy()
        failed(
          statusCode === 407 ? 'wants a user name and password (407)' : `refused to connect (${statusCode})`,
        )
      }
    })
    request.end()
  })
}

function proxyAuthorization({ username, password }: URL): Readonly<Record<string, string>> {
  if (username === '') return {}
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { 'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}` }
}
