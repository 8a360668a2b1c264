import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { systemClock } from '../src/clock.ts'
import { describeError } from '../src/errors.ts'
import { exchangeToken } from '../src/exchange-token.ts'
import { proxyAgent } from '../src/proxy.ts'
import { openLink } from '../src/tunnel/dial-link.ts'
import { deaf, type LinkEnd } from '../src/tunnel/tunnel-link.ts'
import { Servers, type TunnelProxy } from './servers.ts'

// Made for these tests, for `lab.test`, names below it and `localhost`; nothing else trusts it.
const fixture = (name: string): string => readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8')
const cert = fixture('lab-test-certificate.pem')
const key = fixture('lab-test-key.pem')
const usualCertificates = getCACertificates('default')

const token = 'tok.en.x'
const uri = 'wss://relay.lab.test/session/123?code=x'
const servers = new Servers()
const streamed = Buffer.alloc(1_000_000, 'a stream within TLS ')
const requests: (string | undefined)[] = []
let proxy: TunnelProxy = { address: '', tunnels: [] }
let port = 0
let environment: Readonly<Record<string, string>> = {}

beforeAll(async () => {
  setDefaultCACertificates([...usualCertificates, cert])
  const server = createServer({ cert, key }, (request, response) => {
    requests.push(request.headers.authorization)
    if (request.url === '/plain') response.writeHead(307, { location: `http://localhost:${port}/x` }).end()
    else response.end(JSON.stringify({ uri }))
  })
  new WebSocketServer({ server }).on('connection', (peer) => {
    peer.send('hello')
    // In pieces, with text between them, as a tunnel has it.
    for (let at = 0; at < streamed.length; at += 70_000) {
      peer.send(streamed.subarray(at, at + 70_000))
      peer.send('a1')
    }
    peer.close(1000)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
  proxy = await servers.proxy(port)
  environment = { HTTPS_PROXY: `http://${proxy.address}` }
  return () => {
    server.close()
    server.closeAllConnections()
  }
})

afterAll(async () => {
  setDefaultCACertificates(usualCertificates)
  await servers[Symbol.asyncDispose]()
})

test('an exchange over TLS', async () => {
  expect(
    await exchangeToken({ access: `https://localhost:${port}/session/123`, token, timeoutMs: 20_000 }),
  ).toBe(uri)
  expect(requests.at(-1)).toBe(token)
})

test('an exchange over TLS through a proxy checks the name of the server behind it', async () => {
  const options = { token, timeoutMs: 20_000, environment }

  expect(await exchangeToken({ ...options, access: 'https://access.lab.test/session/123' })).toBe(uri)
  expect(proxy.tunnels.at(-1)?.url).toBe('access.lab.test:443')
  const asked = requests.length
  const error: unknown = await exchangeToken({
    ...options,
    access: 'https://access.other.test/session/123',
  }).catch((caught: unknown) => caught)
  expect(describeError(error)).toMatch(
    /^the access server access\.other\.test cannot be reached: .*does not match certificate/,
  )
  expect(requests).toHaveLength(asked)
})

test('a server whose certificate nobody vouches for is not sent the token', async () => {
  const asked = requests.length
  const access = `https://127.0.0.1:${port}/session/123`
  const error: unknown = await exchangeToken({ access, token, timeoutMs: 20_000 }).catch(
    (caught: unknown) => caught,
  )

  expect(describeError(error)).toContain('cannot be reached')
  expect(requests).toHaveLength(asked)
})

test('a redirect from TLS to plain text does not take the token along', async () => {
  const seen: string[] = []
  const plainPort = await servers.tcp((socket) => {
    socket.once('data', (data) => {
      seen.push(data.toString())
      socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n')
    })
  })
  const securePort = port
  port = plainPort
  try {
    const access = `https://localhost:${securePort}/plain`
    await exchangeToken({ access, token, timeoutMs: 20_000 }).catch(() => undefined)
  } finally {
    port = securePort
  }

  expect(seen).toHaveLength(1)
  expect(seen[0]).toMatch(/^POST \/x HTTP\/1\.1\r\n/)
  expect(seen[0]).not.toContain(token)
})

test('a websocket over TLS through a proxy', async () => {
  const socket = new WebSocket(uri, { agent: proxyAgent(uri, { environment, timeoutMs: 20_000 }) })
  const message = await new Promise<string>((resolve, reject) => {
    socket.on('error', reject).on('message', (data: Buffer) => resolve(data.toString()))
  })
  socket.terminate()

  expect(message).toBe('hello')
  expect(proxy.tunnels.at(-1)?.url).toBe('relay.lab.test:443')
})

test('the bytes of a tunnel over TLS through a proxy arrive as they were sent, and texts between them', async () => {
  const bytes: Buffer[] = []
  const texts: string[] = []
  const { promise: closed, resolve: close } = Promise.withResolvers<LinkEnd>()
  const link = await openLink(uri, {
    timeoutMs: 20_000,
    signal: new AbortController().signal,
    environment,
    clock: systemClock,
    receiver: {
      ...deaf,
      linkBytes: (data) => void bytes.push(data),
      linkText: (text) => void texts.push(text),
      linkClosed: close,
    },
  })

  expect(link.isTunnel).toBe(true)
  expect((await closed).code).toBe(1000)
  expect(Buffer.concat(bytes).equals(streamed)).toBe(true)
  expect(texts).toEqual(['hello', ...Array.from({ length: 15 }, () => 'a1')])
})
