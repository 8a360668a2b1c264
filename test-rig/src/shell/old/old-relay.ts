import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { WebSocketServer } from 'ws'
import { sign } from '../../golden/token-mint.ts'
import { OldHub } from './old-hub.ts'
import { OldMember } from './old-member.ts'

export type OldGeneration = 'v0.2.2' | 'jump'

interface OldPermission {
  readonly topic: string
  readonly salt: string
  readonly id: string
  readonly isClient: boolean
  readonly exp: number
}

/** Where the two generations differ (spec shell 9.1). */
const facts = {
  'v0.2.2': { accessPath: '/shell/', prefix: 'shell', maxMessageBytes: 10 * 1024 * 1024, queueLength: 256 },
  jump: { accessPath: '/api/v1/connect/', prefix: 'connect', maxMessageBytes: 65_535, queueLength: 128 },
} as const

/**
 * A shell relay of the old programs, from their specification and with all their faults: it answers 101 to a bad code and
 * stays silent (5.1), counts messages in its queues and stops for ever when one is full (B2), holds a client that speaks
 * first (1.2), sends a disconnect that no old host understands (B1), and tells no end that the other has gone (1.3).
 */
export class OldRelay implements AsyncDisposable {
  readonly generation: OldGeneration
  readonly secret: string
  readonly #hub: OldHub
  readonly #codes = new Map<string, OldPermission>()
  readonly #accessServer: Server
  readonly #barServer = createServer((_request, response) => response.writeHead(400).end('Bad Request\n'))
  readonly #upgrades: WebSocketServer
  readonly #sockets = new Set<Socket>()
  readonly #ports: { readonly access?: number; readonly bar?: number }

  private constructor(generation: OldGeneration, secret: string, ports: OldRelay['ports'] | undefined) {
    this.generation = generation
    this.secret = secret
    this.#ports = ports ?? {}
    this.#hub = new OldHub(facts[generation].queueLength)
    this.#upgrades = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      maxPayload: facts[generation].maxMessageBytes,
      handleProtocols: (offered) => (offered.has('null') ? 'null' : false),
    })
    this.#accessServer = createServer((request, response) => this.#onAccess(request, response))
    for (const server of [this.#accessServer, this.#barServer]) {
      server.on('connection', (socket) => {
        this.#sockets.add(socket)
        socket.once('close', () => this.#sockets.delete(socket)).on('error', () => {})
      })
    }
    this.#barServer.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket as Socket, head))
  }

  /** Listens on loopback; with `ports`, where an earlier one did. */
  static async start(options: {
    readonly generation: OldGeneration
    readonly secret: string
    readonly ports?: OldRelay['ports']
  }): Promise<OldRelay> {
    const relay = new OldRelay(options.generation, options.secret, options.ports)
    await listen(relay.#accessServer, relay.#ports.access ?? 0)
    await listen(relay.#barServer, relay.#ports.bar ?? 0)
    return relay
  }

  /** What a token's `aud` must hold. */
  get audience(): string {
    return `http://127.0.0.1:${String(this.ports.access)}`
  }

  get ports(): { readonly access: number; readonly bar: number } {
    return {
      access: (this.#accessServer.address() as AddressInfo).port,
      bar: (this.#barServer.address() as AddressInfo).port,
    }
  }

  get prefix(): 'shell' | 'connect' {
    return facts[this.generation].prefix
  }

  /** The address of the access API for an id. */
  accessOf(id: string): string {
    return `${this.audience}${facts[this.generation].accessPath}${id}`
  }

  /** A queue was full: nothing has moved since. */
  get isDeadlocked(): boolean {
    return this.#hub.isDeadlocked
  }

  /** Every socket is cut, as when the process ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = [this.#accessServer, this.#barServer].map(
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    )
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all(closed)
  }

  #onAccess(request: IncomingMessage, response: ServerResponse): void {
    request.resume()
    const { accessPath, prefix } = facts[this.generation]
    const refuse = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json', connection: 'close' })
      response.end(JSON.stringify(body))
    }
    const path = request.url ?? ''
    if (!path.startsWith(accessPath)) {
      refuse(404, { code: 404, message: `path ${path} was not found` })
      return
    }
    const claims = this.#claimsOf(request.headers.authorization ?? '')
    if (claims === undefined) {
      refuse(500, { code: 500, message: 'error reading token was signature is invalid' })
      return
    }
    const id = path.slice(accessPath.length)
    const scopes: readonly unknown[] = Array.isArray(claims.get('scopes'))
      ? [claims.get('scopes')].flat()
      : []
    if (claims.get('topic') !== id || scopes.length === 0) {
      refuse(401, 'ShellID Does Not Match Token')
      return
    }
    const isClient = scopes.includes('client')
    const topic = isClient ? `${id}/${randomUUID()}` : id
    const permission = {
      topic,
      salt: isClient ? randomUUID() : '',
      id,
      isClient,
      exp: Number(claims.get('exp')),
    }
    const uri = `${this.#barUrl}/${prefix}/${topic}?code=${this.#codeFor(permission)}`
    response.writeHead(200, { 'content-type': 'application/json', connection: 'close' })
    response.end(`${JSON.stringify({ uri })}\n`)
  }

  get #barUrl(): string {
    return `ws://127.0.0.1:${String(this.ports.bar)}`
  }

  #codeFor(permission: OldPermission): string {
    const code = randomUUID()
    this.#codes.set(code, permission)
    return code
  }

  /** The claims of a token with our signature that is not over. */
  #claimsOf(token: string): ReadonlyMap<string, unknown> | undefined {
    const [header = '', payload = '', signature] = token.split('.')
    if (signature !== sign(`${header}.${payload}`, 'HS256', this.secret)) return undefined
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const known = new Map<string, unknown>(Object.entries(claims as object))
    return Number(known.get('exp')) * 1000 > Date.now() ? known : undefined
  }

  #onUpgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const url = new URL(request.url ?? '', this.#barUrl)
    const [, prefix, ...topic] = url.pathname.split('/')
    if (prefix !== this.prefix) {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 10\r\n\r\nNot Found\n')
      return
    }
    socket.setNoDelay(true)
    const code = url.searchParams.get('code') ?? ''
    const permission = this.#codes.get(code)
    this.#codes.delete(code)
    this.#upgrades.handleUpgrade(request, socket, head, (websocket) => {
      websocket.on('error', () => {})
      if (permission === undefined || permission.topic !== topic.join('/')) {
        // Neither read nor written nor closed: the silent 101.
        websocket.pause()
        return
      }
      this.#join(new OldMember(websocket, { writesTwoFrames: this.generation === 'v0.2.2' }), permission)
    })
  }

  #join(member: OldMember, permission: OldPermission): void {
    const { id, topic, salt, isClient, exp } = permission
    const uuid = randomUUID()
    const leave = this.#hub.join(`${topic}${salt}`, member, { isGated: isClient })
    const expiry = setTimeout(() => member.cut(), Math.min(exp * 1000 - Date.now(), 2 ** 31 - 1))
    member.onClosed(() => {
      clearTimeout(expiry)
      leave()
      this.#hub.publish(id, Buffer.from(JSON.stringify({ action: 'disconnect', uri: '', uuid })), false)
    })
    if (!isClient) return
    const code = this.#codeFor({ ...permission, isClient: false })
    const uri = `${this.#barUrl}/${this.prefix}/${topic}?code=${code}`
    this.#hub.publish(id, Buffer.from(JSON.stringify({ action: 'connect', uri, uuid })), false)
  }
}

async function listen(server: Server, port: number): Promise<void> {
  const listening = Promise.withResolvers<void>()
  server.once('error', listening.reject).listen(port, '127.0.0.1', listening.resolve)
  await listening.promise
}
