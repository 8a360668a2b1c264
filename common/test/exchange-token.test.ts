import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { AppError, ConfigError, describeError } from '../src/errors.ts'
import { AccessRefusedError, type ExchangeOptions, exchangeToken } from '../src/exchange-token.ts'
import { RetryLaterError } from '../src/keep-connected.ts'
import { proxyAgent } from '../src/proxy.ts'
import { type Seen, Servers, seen } from './servers.ts'

const token = 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b3BpYyI6IjEyMyJ9.Zm9vYmFyYmF6cXV4'
const uri = 'wss://relay.example.io/session/123?code=2b1c7b4e-58a3-4f0e-9a3e-0c5d8b1f2a77'
const good = JSON.stringify({ uri })

let servers: Servers
beforeEach(() => {
  servers = new Servers()
})
afterEach(async () => {
  await servers[Symbol.asyncDispose]()
})

type Answer = (response: ServerResponse, request: Seen) => void

/** An access server that answers as told; gives its address and what it was asked. */
async function accessServer(
  answer: Answer,
): Promise<{ readonly port: number; readonly access: string; readonly asked: Seen[] }> {
  const asked: Seen[] = []
  const { port } = await servers.http((request, response) => {
    asked.push(seen(request))
    answer(response, seen(request))
  })
  return { port, access: `http://127.0.0.1:${port}/session/123`, asked }
}

const say =
  (status: number, body: string, headers: Readonly<Record<string, string>> = {}): Answer =>
  (response) =>
    void response.writeHead(status, headers).end(body)

const exchange = (access: string, options: Partial<ExchangeOptions> = {}): Promise<string> =>
  exchangeToken({ access, token, timeoutMs: 20_000, ...options })

/** The error, whose text shows neither token nor code. */
async function failure(access: string, options: Partial<ExchangeOptions> = {}): Promise<AppError> {
  const error: unknown = await exchange(access, options).then(
    () => new Error('it was no failure'),
    (caught: unknown) => caught,
  )
  if (!(error instanceof AppError)) throw error
  const text = `${describeError(error)} ${error.stack} ${JSON.stringify(error.details)}`
  for (const secret of [...token.split('.'), '2b1c7b4e', 'hunter2']) expect(text).not.toContain(secret)
  return error
}

describe('the request', () => {
  test('is a POST without body, with the bare token', async () => {
    const { access, asked } = await accessServer(say(200, good))

    expect(await exchange(access)).toBe(uri)
    expect(asked).toHaveLength(1)
    expect(asked[0]).toMatchObject({
      method: 'POST',
      url: '/session/123',
      headers: {
        authorization: token,
        'content-length': '0',
        accept: 'application/json',
        'user-agent': 'relay',
      },
    })
    expect(asked[0]?.headers).not.toHaveProperty('content-type')
  })

  test('leaves out the line end of a token file', async () => {
    const { access, asked } = await accessServer(say(200, good))

    await exchange(access, { token: `  ${token}\r\n` })
    expect(asked[0]?.headers.authorization).toBe(token)
  })

  test('keeps a base path and escapes', async () => {
    const { port, asked } = await accessServer(say(200, good))

    await exchange(`http://127.0.0.1:${port}/ed0/access/session/a%2Fb`)
    expect(asked[0]?.url).toBe('/ed0/access/session/a%2Fb')
  })
})

describe('an answer with an address is taken,', () => {
  test.each<readonly [string, number, string]>([
    ['as the relay gives it', 200, `${good}\n`],
    ['with 201', 201, good],
    ['with 500', 500, good],
    ['with 401', 401, good],
    ['in another letter case', 200, JSON.stringify({ URI: uri })],
    ['among other members', 200, JSON.stringify({ code: 5, uri, message: 'x' })],
  ])('%s', async (_name, status, body) => {
    const { access } = await accessServer(say(status, body))
    expect(await exchange(access)).toBe(uri)
  })

  test('of a relay without TLS too, as it is written', async () => {
    const plain = 'ws://127.0.0.1:8083/session/a/b?code=x'
    const { access } = await accessServer(say(200, JSON.stringify({ uri: plain })))
    expect(await exchange(access)).toBe(plain)
  })
})

describe('a refusal', () => {
  test.each<readonly [number, string, string]>([
    [
      401,
      '{"code":401,"message":"unauthenticated for invalid credentials"}',
      'unauthenticated for invalid credentials',
    ],
    [401, '"Token Wrong Topic"\n', 'Token Wrong Topic'],
    [
      400,
      '{"code":"400","message":"bookingID has been deny-listed, probably because the session was cancelled"}\n',
      'bookingID has been deny-listed, probably because the session was cancelled',
    ],
    [403, '', 'no reason given'],
    [500, '{"code":500,"message":"token invalid"}', 'token invalid'],
    [
      500,
      '{"code":500,"message":"aud [https://x] does not match this host https://y"}',
      'aud [https://x] does not match this host https://y',
    ],
  ])('%i %s', async (status, body, reason) => {
    const { access } = await accessServer(say(status, body))
    const error = await failure(access)

    expect(error).toBeInstanceOf(AccessRefusedError)
    expect(error).toMatchObject({ code: 'ACCESS_REFUSED', status, permanent: false })
    expect(error.message).toBe(`the access server refused the token (${status}): ${reason}`)
  })

  test('that repeats the token, or is no plain text, is made fit for a log', async () => {
    const { access } = await accessServer(say(401, `"bad ${token}\u001B[31m\\nline two ${'x'.repeat(500)}"`))
    const { message } = await failure(access)

    // oxlint-disable-next-line no-control-regex -- exactly these must not reach a terminal
    expect(message).not.toMatch(/[\u0000-\u001F]/)
    expect(message.length).toBeLessThan(300)
  })
})

describe('a busy server', () => {
  const date = 'Sun, 22 Nov 2026 12:00:00 GMT'
  test.each<readonly [number, Readonly<Record<string, string>>, number]>([
    [429, { 'retry-after': '7' }, 7000],
    [503, { 'retry-after': '0' }, 0],
    [503, {}, 1000],
    [429, { 'retry-after': 'soon' }, 1000],
    [429, { 'retry-after': '-5' }, 1000],
    [429, { 'retry-after': 'Sun, 22 Nov 2026 12:00:30 GMT', date }, 30_000],
    [429, { 'retry-after': 'Sun, 22 Nov 2026 11:00:00 GMT', date }, 0],
  ])('%i with %j asks for a pause of %i ms', async (status, headers, delayMs) => {
    const { access } = await accessServer(say(status, '{"message":"too many"}', headers))
    const error = await failure(access)

    expect(error).toBeInstanceOf(RetryLaterError)
    expect(error).toMatchObject({ delayMs })
  })
})

describe('an answer of no use', () => {
  const where = /^the access server 127\.0\.0\.1:\d+ /
  test.each<readonly [string, Answer, string]>([
    [
      '404 of our kind',
      say(404, '{"code":404,"message":"path /x was not found"}'),
      'answered 404 without an address: path /x was not found',
    ],
    [
      '502 of a proxy in front',
      say(502, '<html><body>Bad Gateway</body></html>'),
      'answered 502 without an address',
    ],
    ['200 without anything', say(200, ''), 'answered 200 without an address'],
    ['200 with an empty address', say(200, '{"uri":""}'), 'answered 200 without an address'],
    ['200 with a number for address', say(200, '{"uri":5}'), 'answered 200 without an address'],
    ['200 with null', say(200, 'null'), 'answered 200 without an address'],
    ['200 with a list', say(200, `[${good}]`), 'answered 200 without an address'],
    [
      'an http address',
      say(200, '{"uri":"https://relay.example.io/?code=2b1c7b4e"}'),
      'gave an address that is not a plain ws:// or wss:// address',
    ],
    [
      'the address of a local socket',
      say(200, '{"uri":"ws+unix:///run/docker.sock:/?code=2b1c7b4e"}'),
      'gave an address that is not a plain ws:// or wss:// address',
    ],
    [
      'an address with a password',
      say(200, '{"uri":"wss://user:hunter2@relay.example.io/"}'),
      'gave an address that is not a plain ws:// or wss:// address',
    ],
    [
      'half an address',
      say(200, '{"uri":"/session/123?code=2b1c7b4e"}'),
      'gave an address that is not a plain ws:// or wss:// address',
    ],
    ['too many bytes', say(200, JSON.stringify({ x: 'x'.repeat(70_000), uri })), 'gives no answer of use'],
    ['a redirect to a file', say(302, '', { location: 'file:///etc/passwd' }), 'gives no answer of use'],
    ['a redirect to nowhere', say(302, '', { location: 'http://' }), 'gives no answer of use'],
    ['a redirect without a place', say(302, ''), 'answered 302 without an address'],
    ['redirects without end', say(307, '', { location: '/again' }), 'gives no answer of use'],
  ])('%s', async (_name, answer, sentence) => {
    const { access } = await accessServer(answer)
    const error = await failure(access)

    expect(error).toMatchObject({ code: 'ACCESS_BAD_ANSWER', permanent: false })
    expect(error.message).toMatch(where)
    expect(error.message.replace(where, '')).toBe(sentence)
  })

  test('that never ends is cut off', async () => {
    let written = 0
    const { access } = await accessServer((response) => {
      const pump = (): void => {
        while (!response.destroyed && written < 50_000_000) {
          written += 65_536
          if (!response.write('x'.repeat(65_536))) break
        }
      }
      response.on('drain', pump)
      pump()
    })

    expect((await failure(access)).code).toBe('ACCESS_BAD_ANSWER')
    expect(written).toBeLessThan(50_000_000)
  })
})

describe('a redirect', () => {
  test.each([
    [301, 'GET'],
    [302, 'GET'],
    [303, 'GET'],
    [307, 'POST'],
    [308, 'POST'],
  ])('%i is followed with %s, and the token goes along on the same host', async (status, method) => {
    const { access, asked } = await accessServer((response, { url }) =>
      url === '/final'
        ? say(200, good)(response, asked[0] as Seen)
        : say(status, '', { location: '/final' })(response, asked[0] as Seen),
    )

    expect(await exchange(access)).toBe(uri)
    expect(asked.map((request) => request.method)).toEqual(['POST', method])
    expect(asked[1]?.headers.authorization).toBe(token)
  })

  test('to another port of the same host takes the token along, to another host it does not', async () => {
    const final = await accessServer(say(200, good))
    for (const [host, authorization] of [
      ['127.0.0.1', token],
      ['localhost', undefined],
    ] as const) {
      const { access } = await accessServer(say(307, '', { location: `http://${host}:${final.port}/final` }))

      // `localhost` may be ::1 alone: the same machine under another name all the same.
      await exchange(access).catch(() => undefined)
      const last = final.asked.at(-1)
      expect(last?.headers.authorization).toBe(authorization)
    }
    expect(final.asked).toHaveLength(2)
  })

  test('within another host or back from it does not bring the token back', async () => {
    const asked: Seen[] = []
    const { port } = await servers.http((request, response) => {
      asked.push(seen(request))
      const host = ['localhost', 'localhost', '127.0.0.1'][asked.length - 1]
      if (host === undefined) response.end(good)
      else response.writeHead(308, { location: `http://${host}:${port}/${asked.length}` }).end()
    })

    await exchange(`http://127.0.0.1:${port}/0`)
    expect(asked.map(({ url, headers }) => [url, headers.authorization])).toEqual([
      ['/0', token],
      ['/1', undefined],
      ['/2', undefined],
      ['/3', undefined],
    ])
  })

  test('loops end after ten', async () => {
    const { access, asked } = await accessServer(say(308, '', { location: '/again' }))

    await failure(access)
    expect(asked).toHaveLength(11)
  })
})

describe('a server that is not there or not well', () => {
  test('refused: the sentence says where and why', async () => {
    const { server, port } = await servers.http(() => undefined)
    await new Promise((resolve) => server.close(resolve))
    const error = await failure(`http://127.0.0.1:${port}/session/x`)

    expect(error).toMatchObject({ code: 'ACCESS_UNREACHABLE', permanent: false })
    expect(describeError(error)).toBe(
      `the access server 127.0.0.1:${port} cannot be reached: connect ECONNREFUSED 127.0.0.1:${port}`,
    )
  })

  test.each<readonly [string, (socket: Socket) => void]>([
    ['drops the connection at once', (socket) => socket.destroy()],
    ['resets it', (socket) => socket.resetAndDestroy()],
    ['drops it after the request', (socket) => socket.once('data', () => socket.end())],
    ['speaks another language', (socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n')],
    ['drops it within the headers', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-')],
    [
      'drops it within the body',
      (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"uri":'),
    ],
    [
      'sends headers without end',
      (socket) => socket.write(`HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(50_000)}`),
    ],
    [
      'switches the protocol',
      (socket) =>
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'),
    ],
  ])('%s', async (_name, behave) => {
    const port = await servers.tcp(behave)
    expect((await failure(`http://127.0.0.1:${port}/session/x`)).code).toMatch(
      /^ACCESS_(?:UNREACHABLE|BAD_ANSWER)$/,
    )
  })

  test.each<readonly [string, (socket: Socket) => void]>([
    ['that is silent', () => undefined],
    ['that stops within the headers', (socket) => void socket.write('HTTP/1.1 200 OK\r\n')],
    [
      'that stops within the body',
      (socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"uri":'),
    ],
    [
      'that drips',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
        const drip = setInterval(() => socket.write('1\r\nx\r\n'), 10)
        socket.on('close', () => clearInterval(drip))
      },
    ],
  ])('%s is given up at the deadline, and its connection closed', async (_name, behave) => {
    const closed = Promise.withResolvers<void>()
    const port = await servers.tcp((socket) => {
      socket.on('close', () => closed.resolve())
      socket.resume()
      behave(socket)
    })
    const error = await failure(`http://127.0.0.1:${port}/session/x`, { timeoutMs: 150 })

    expect(describeError(error)).toBe(
      `the access server 127.0.0.1:${port} cannot be reached: there was no answer within 0.15 s`,
    )
    await closed.promise
  })

  test('the deadline is for all redirects together', async () => {
    const { access } = await accessServer((response) => {
      setTimeout(() => response.writeHead(307, { location: '/again' }).end(), 60)
    })
    expect(describeError(await failure(access, { timeoutMs: 200 }))).toContain(
      'there was no answer within 0.2 s',
    )
  })
})

describe('stopping', () => {
  test('by a signal that has aborted already sends nothing', async () => {
    const { access, asked } = await accessServer(say(200, good))
    const error = await failure(access, { signal: AbortSignal.abort() })

    expect(error.code).toBe('ACCESS_UNREACHABLE')
    expect(describeError(error)).toContain('it was given up')
    expect(asked).toEqual([])
  })

  test('while waiting ends at once and leaves no listener', async () => {
    const controller = new AbortController()
    const arrived = Promise.withResolvers<void>()
    const { access } = await accessServer(() => arrived.resolve())
    const failing = failure(access, { signal: controller.signal, timeoutMs: 600_000 })

    await arrived.promise
    controller.abort()
    expect((await failing).code).toBe('ACCESS_UNREACHABLE')
  })
})

describe('nothing is sent', () => {
  test.each<readonly [string, string, string]>([
    ['to what is no address', 'relay.example.io/session/123', 'ACCESS_BAD_ADDRESS'],
    ['to nothing', '', 'ACCESS_BAD_ADDRESS'],
    ['to a websocket', 'wss://relay.example.io/session/123', 'ACCESS_BAD_ADDRESS'],
    ['to a file', 'file:///etc/passwd', 'ACCESS_BAD_ADDRESS'],
    [
      'with a user and password in the address',
      'https://user:hunter2@relay.example.io/session/123',
      'ACCESS_BAD_ADDRESS',
    ],
  ])('%s', async (_name, access, code) => {
    const error = await failure(access)
    expect(error).toBeInstanceOf(ConfigError)
    expect(error.code).toBe(code)
  })

  test.each<readonly [string, string, string]>([
    ['that is empty', ' \n', 'the token is empty'],
    [
      'of two lines',
      `${token}\n${token}`,
      'the token holds blanks or characters that no token has; it must be one token on one line',
    ],
    [
      'with letters that no header has',
      `${token}ü`,
      'the token holds blanks or characters that no token has; it must be one token on one line',
    ],
  ])('with a token %s', async (_name, wrong, sentence) => {
    const { access, asked } = await accessServer(say(200, good))

    expect(await failure(access, { token: wrong })).toMatchObject({
      code: 'ACCESS_BAD_TOKEN',
      message: sentence,
      permanent: true,
    })
    expect(asked).toEqual([])
  })
})

describe('through a proxy', () => {
  test('the exchange, its redirects included, is tunnelled with the name and password of the proxy', async () => {
    const access = await accessServer((response, { url }) =>
      url === '/final' ? void response.end(good) : void response.writeHead(302, { location: '/final' }).end(),
    )
    const proxy = await servers.proxy(access.port)
    const environment = { HTTP_PROXY: `http://user:p%40ss@${proxy.address}` }

    expect(await exchange('http://access.lab.test/session/123', { environment })).toBe(uri)
    expect(proxy.tunnels.map(({ url, headers }) => [url, headers['proxy-authorization']])).toEqual([
      ['access.lab.test:80', 'Basic dXNlcjpwQHNz'],
      ['access.lab.test:80', 'Basic dXNlcjpwQHNz'],
    ])
    expect(
      access.asked.map(({ headers }) => [
        headers.host,
        headers.authorization,
        headers['proxy-authorization'],
      ]),
    ).toEqual([
      ['access.lab.test', token, undefined],
      ['access.lab.test', token, undefined],
    ])
  })

  test('what NO_PROXY names, and this machine, is reached straight', async () => {
    const { access } = await accessServer(say(200, good))
    const proxy = await servers.proxy(1)

    expect(await exchange(access, { environment: { HTTP_PROXY: `http://${proxy.address}` } })).toBe(uri)
    expect(proxy.tunnels).toEqual([])
  })

  test.each([
    ['407 Proxy Authentication Required', 'wants a user name and password (407)'],
    ['403 Forbidden', 'refused to connect (403)'],
  ])('%s: the sentence says that it was the proxy', async (refusal, why) => {
    const proxy = await servers.proxy(1, { refuseWith: refusal })
    const error = await failure('http://access.lab.test/session/123', {
      environment: { HTTP_PROXY: `http://user:hunter2@${proxy.address}` },
    })

    expect(describeError(error)).toBe(
      `the access server access.lab.test cannot be reached: the proxy ${proxy.address} ${why}`,
    )
  })

  test('a proxy that is silent is given up at the deadline', async () => {
    const port = await servers.tcp(() => undefined)
    const error = await failure('http://access.lab.test/x', {
      timeoutMs: 150,
      environment: { HTTP_PROXY: `127.0.0.1:${port}` },
    })

    expect(describeError(error)).toMatch(
      /cannot be reached: (?:there was no answer within 0\.15 s|the proxy .* no answer within 150 ms)$/,
    )
  })

  test('that is not one is refused before anything is sent', async () => {
    expect(
      (await failure('http://access.lab.test/x', { environment: { HTTP_PROXY: 'socks5://127.0.0.1:1' } }))
        .code,
    ).toBe('PROXY_INVALID')
  })

  test('what comes in one packet with the answer of the proxy is not lost', async () => {
    const answer = `HTTP/1.1 200 OK\r\nContent-Length: ${good.length}\r\n\r\n${good}`
    const port = await servers.tcp((socket) => {
      socket.once('data', () => socket.write(`HTTP/1.1 200 Connection established\r\n\r\n${answer}`))
    })
    const environment = { HTTP_PROXY: `127.0.0.1:${port}` }

    expect(await exchange('http://access.lab.test/session/123', { environment })).toBe(uri)
  })

  test('a websocket joins, in both directions and with what the relay says first', async () => {
    const { server, port } = await servers.http((_request, response) => void response.writeHead(404).end())
    const relay = new WebSocketServer({ server })
    relay.on('connection', (peer) => {
      peer.send('first')
      peer.on('message', (data: Buffer) => peer.send(`echo ${data.toString()}`))
    })
    const proxy = await servers.proxy(port)
    const address = 'ws://relay.lab.test/session/123?code=x'
    const environment = { HTTP_PROXY: `http://${proxy.address}` }
    const socket = new WebSocket(address, { agent: proxyAgent(address, { environment, timeoutMs: 20_000 }) })
    const messages: string[] = []
    const closed = new Promise((resolve, reject) => socket.on('close', resolve).on('error', reject))
    socket.on('open', () => socket.send('hello'))
    socket.on('message', (data: Buffer) => {
      messages.push(data.toString())
      if (messages.length === 2) socket.close(1000)
    })

    expect(await closed).toBe(1000)
    expect(messages).toEqual(['first', 'echo hello'])
    expect(proxy.tunnels.map(({ url }) => url)).toEqual(['relay.lab.test:80'])
  })

  test('a websocket that is given up while the proxy is still silent leaves no connection and no error behind', async () => {
    const connected = Promise.withResolvers<Socket>()
    const proxyPort = await servers.tcp((socket) => connected.resolve(socket.resume()))
    const address = 'ws://relay.lab.test/session/123?code=x'
    const environment = { HTTP_PROXY: `127.0.0.1:${proxyPort}` }
    const errors: unknown[] = []
    const socket = new WebSocket(address, { agent: proxyAgent(address, { environment, timeoutMs: 300 }) })
    socket.on('error', (error) => errors.push(error))
    const peer = await connected.promise
    const peerClosed = new Promise((resolve) => peer.on('close', resolve))

    socket.terminate()
    await peerClosed
    // The tunnel failed only now: whoever waited for it is gone, and must not be told.
    await new Promise((resolve) => setImmediate(resolve))
    expect(errors).toHaveLength(1)
  })

  test('a websocket that is given up just before the proxy opens the tunnel closes it', async () => {
    const connected = Promise.withResolvers<Socket>()
    const proxyPort = await servers.tcp((peer) => connected.resolve(peer.resume()))
    const address = 'ws://relay.lab.test/session/123?code=x'
    const environment = { HTTP_PROXY: `127.0.0.1:${proxyPort}` }
    const socket = new WebSocket(address, { agent: proxyAgent(address, { environment, timeoutMs: 20_000 }) })
    socket.on('error', () => undefined)
    const peer = await connected.promise
    const peerClosed = new Promise((resolve) => peer.on('close', resolve))

    socket.terminate()
    peer.write('HTTP/1.1 200 Connection established\r\n\r\n')
    await peerClosed
    expect(socket.readyState).toBe(WebSocket.CLOSED)
  })

  test('a websocket that the proxy refuses fails with its sentence', async () => {
    const proxy = await servers.proxy(1, { refuseWith: '502 Bad Gateway' })
    const address = 'wss://relay.lab.test/session/123?code=x'
    const environment = { HTTPS_PROXY: `http://${proxy.address}` }
    const socket = new WebSocket(address, { agent: proxyAgent(address, { environment, timeoutMs: 20_000 }) })
    const error = await new Promise<Error>((resolve) => socket.on('error', resolve))

    expect(error).toMatchObject({
      code: 'PROXY_FAILED',
      message: `the proxy ${proxy.address} refused to connect (502)`,
    })
    expect(proxy.tunnels.map(({ url }) => url)).toEqual(['relay.lab.test:443'])
  })
})
