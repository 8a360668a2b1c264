import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@relay/common/clock'
import { FakeClock } from '@relay/common/fake-clock'
import { afterEach, describe, expect, test } from 'vitest'
import { FeedHub, type Member } from '../src/feeds/feed-hub.ts'
import { fixedToken, tokenFile, type TokenSource } from '@relay/common/token-source'
import { Uplink, type UplinkOptions } from '../src/uplink/uplink.ts'
import { framePackets } from './made-up-stream.ts'
import { capturedLog } from './captured-log.ts'
import { eventually } from './eventually.ts'
import { ScriptedServer } from './scripted-server.ts'

const secretToken = 'eyJhbGciOiJIUzI1NiJ9.eyJ0b3BpYyI6InQifQ.very-secret-signature'
const camera: Member = { name: 'camera', deliver: () => undefined }
const limits = {
  maxBufferedBytes: 262_144,
  maxLagMs: 1_000,
  queueBytes: 262_144,
  queueAgeMs: 30_000,
}

const cleanUps: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
})

async function openServer(options: { readonly port?: number; readonly autoPong?: boolean } = {}) {
  const server = await ScriptedServer.open(options)
  cleanUps.push(() => server.close())
  return server
}

/** An uplink on real sockets; its own waits and deadlines are those of a clock that the test moves. */
function startUplink(
  destination: string,
  {
    hasToken = true,
    token = fixedToken(secretToken),
    clock = new FakeClock(),
    environment = {},
    ...options
  }: Partial<UplinkOptions> & {
    readonly hasToken?: boolean
    readonly token?: TokenSource
    readonly clock?: FakeClock
    readonly environment?: Readonly<Record<string, string>>
  } = {},
) {
  const hub = new FeedHub()
  const { log, lines } = capturedLog()
  const uplink = new Uplink(
    {
      id: '0',
      feed: 'data',
      destination,
      token: hasToken ? token : undefined,
      delivery: 'auto',
      limits,
      recorder: undefined,
      ...options,
    },
    { hub, clock, random: Math.random, log, environment },
  )
  const controller = new AbortController()
  const running = uplink.run(controller.signal)
  const stop = async (): Promise<void> => {
    controller.abort()
    await running
    // Whatever the test did: nothing secret has reached the log.
    expect(lines.filter((line) => /secret-code|very-secret/.test(line))).toEqual([])
  }
  cleanUps.push(stop)
  return {
    hub,
    uplink,
    lines,
    clock,
    stop,
    say: (text: string) => hub.publish('data', { data: Buffer.from(text), binary: false }, camera),
    show: (data: Buffer) => hub.publish('data', { data, binary: true }, camera),
    isLive: () => eventually(() => uplink.status().state.kind === 'live', { show: () => uplink.status() }),
    fails: (code: string) =>
      eventually(() => uplink.status().fault?.code === code, { show: () => uplink.status() }),
  }
}

describe('an uplink', () => {
  test('exchanges its token, dials, carries text and binary both ways, and closes with 1000', async () => {
    const server = await openServer()
    const { hub, say, show, isLive, stop } = startUplink(`${server.access}/session/t`)
    const heard: string[] = []
    hub.join('data', {
      name: 'board',
      deliver: ({ data, binary }) => void heard.push(`${binary ? 'binary' : 'text'} ${data.toString()}`),
    })
    const peer = await server.peer(1)
    await isLive()

    say('{"a":1}')
    show(Buffer.of(1, 255))
    await eventually(() => peer.messages.length === 2)
    peer.websocket.send('down')
    peer.websocket.send(Buffer.from('bytes'))
    await eventually(() => heard.length === 4)
    await stop()
    await eventually(() => peer.closeCode !== undefined)

    expect(server.posts.map(({ path, authorization }) => ({ path, authorization }))).toEqual([
      { path: '/access/session/t', authorization: secretToken },
    ])
    expect(peer.path).toBe('/relay/session/t?code=secret-code-1')
    expect(peer.headers['sec-websocket-protocol']).toBeUndefined()
    expect(peer.headers['sec-websocket-extensions']).toBeUndefined()
    expect(peer.headers.authorization).toBeUndefined()
    expect(peer.messages).toEqual([
      { data: Buffer.from('{"a":1}'), binary: false },
      { data: Buffer.of(1, 255), binary: true },
    ])
    expect(heard.slice(2)).toEqual(['text down', 'binary bytes'])
    expect(peer.closeCode).toBe(1000)
  })

  test('knows how many others hear its topic, for as long as the relay that told it is there', async () => {
    const server = await openServer()
    const { clock, isLive, uplink } = startUplink(`${server.access}/session/t`)
    const peer = await server.peer(1)
    await isLive()
    expect(uplink.status().viewers).toBeUndefined()

    for (const payload of ['viewers=3', 'anything', 'viewers=many']) peer.websocket.ping(payload)

    await eventually(() => uplink.status().viewers === 3)
    peer.websocket.terminate()
    await advanceUntil(clock, () => uplink.status().state.kind === 'waiting')
    expect(uplink.status().viewers).toBeUndefined()
  })

  test('without a token dials the destination itself', async () => {
    const server = await openServer()
    const { isLive } = startUplink(`ws://127.0.0.1:${server.port}/direct`, { hasToken: false })
    const peer = await server.peer(1)
    await isLive()

    expect(peer.path).toBe('/direct')
    expect(server.posts).toEqual([])
  })

  test('takes text that is no UTF-8, as serial adaptors send it', async () => {
    const server = await openServer()
    const { hub, isLive } = startUplink(`${server.access}/session/t`)
    const heard: Buffer[] = []
    hub.join('data', { name: 'board', deliver: ({ data }) => void heard.push(data) })
    const peer = await server.peer(1)
    await isLive()

    peer.websocket.send(Buffer.of(0x61, 0xff), { binary: false })

    await eventually(() => heard.length === 1)
    expect(heard).toEqual([Buffer.of(0x61, 0xff)])
  })

  test('uses a new token within seconds after its file has changed', async () => {
    const server = await openServer()
    const directory = mkdtempSync(join(tmpdir(), 'uplink-'))
    cleanUps.push(() => rmSync(directory, { recursive: true }))
    const file = join(directory, 'token')
    const clock = new FakeClock()
    const { isLive, fails } = startUplink(`${server.access}/session/t`, {
      clock,
      token: tokenFile(file, clock),
    })
    await fails('TOKEN_FILE_MISSING')
    expect(server.posts).toEqual([])

    writeFileSync(file, 'first\n')
    await advanceUntil(clock, () => server.peers.length === 1)
    await isLive()
    writeFileSync(file, 'second\n')
    await advanceUntil(clock, () => server.peers.length === 2)
    await eventually(() => server.peers[0]?.closeCode !== undefined)

    expect(server.posts.map(({ authorization }) => authorization)).toEqual(['first', 'second'])
    expect(server.peers[0]?.closeCode).toBe(1000)
  })

  test('goes through the proxy of the environment, by a tunnel', async () => {
    const server = await openServer()
    const asked: string[] = []
    const proxy = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.once('data', (request) => {
        asked.push(request.toString().split('\r\n')[0] ?? '')
        const target = connect(server.port, '127.0.0.1', () => {
          socket.write('HTTP/1.1 200 fine\r\n\r\n')
          socket.pipe(target).pipe(socket)
        })
        target.on('error', () => socket.destroy())
        socket.on('close', () => target.destroy())
      })
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    cleanUps.push(() => void proxy.close())
    server.onPost = (post, response) =>
      response.end(JSON.stringify({ uri: server.freshAddress(post.path, 'relay.test:82') }))
    const address = proxy.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0

    const { isLive } = startUplink('http://access.test:81/access/session/t', {
      environment: { HTTP_PROXY: `http://127.0.0.1:${port}` },
    })
    await server.peer(1)
    await isLive()

    expect(asked).toEqual(['CONNECT access.test:81 HTTP/1.1', 'CONNECT relay.test:82 HTTP/1.1'])
  })
})

/** Moves the clock on in small steps, as the events between them come from real sockets. */
async function advanceUntil(clock: FakeClock, isTrue: () => boolean): Promise<void> {
  for (let step = 0; step < 600 && !isTrue(); step++) {
    await clock.advance(500)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  expect(isTrue()).toBe(true)
}

describe('faults on real sockets', () => {
  test('refused: nobody listens, later somebody does', async () => {
    const { port } = await openServer().then(async (server) => {
      const { port: free } = server
      await server.close()
      return { port: free }
    })
    const { clock, fails, isLive, say, uplink } = startUplink(`http://127.0.0.1:${port}/access/session/t`)
    await fails('ACCESS_UNREACHABLE')
    say('kept')

    const server = await openServer({ port })
    await advanceUntil(clock, () => server.peers.length === 1)
    await isLive()
    const peer = await server.peer(1)

    await eventually(() => peer.messages.length === 1)
    expect(peer.texts).toEqual(['kept'])
    expect(uplink.status()).toMatchObject({ failures: 0, fault: undefined })
  })

  test('reset: the connection is cut, a new one takes over with a fresh code', async () => {
    const server = await openServer()
    const { clock, isLive, fails, say } = startUplink(`${server.access}/session/t`)
    const first = await server.peer(1)
    await isLive()

    first.socket.resetAndDestroy()
    await fails('RELAY_LOST')
    say('kept')
    await advanceUntil(clock, () => server.peers.length === 2)
    await isLive()
    const second = await server.peer(2)
    await eventually(() => second.messages.length === 1)

    expect(second.path).toBe('/relay/session/t?code=secret-code-2')
    expect(second.texts).toEqual(['kept'])
  })

  test('silent: an access server that never answers is given up after its deadline', async () => {
    const server = await openServer()
    server.onPost = () => undefined
    const { fails } = startUplink(`${server.access}/session/t`)

    await fails('ACCESS_UNREACHABLE')

    expect(server.posts).toHaveLength(1)
  })

  test('mute: an old relay lets in and says nothing; what waited is not lost', async () => {
    const server = await openServer({ autoPong: false })
    const { clock, fails, say } = startUplink(`${server.access}/session/t`)
    say('kept')
    const first = await server.peer(1)
    await advanceUntil(clock, () => server.peers.length === 2)
    await fails('RELAY_MUTE')
    const second = await server.peer(2)
    second.websocket.pong('1')
    await eventually(() => second.messages.length === 1)

    expect(first.messages).toEqual([])
    expect(second.texts).toEqual(['kept'])
  })

  test('half-open: a relay that stops answering is replaced after a ping and its deadline', async () => {
    const server = await openServer()
    const { clock, isLive, uplink } = startUplink(`${server.access}/session/t`)
    const first = await server.peer(1)
    await isLive()
    // From now on its bytes are taken by the kernel and by nobody else.
    first.socket.pause()
    const startedAtMs = clock.monotonicMs()
    await advanceUntil(clock, () => uplink.status().state.kind === 'waiting')

    expect(uplink.status().fault?.code).toBe('RELAY_SILENT')
    expect(clock.monotonicMs() - startedAtMs).toBeLessThan(33_000)
    await advanceUntil(clock, () => server.peers.length === 2)
  })

  test('slow: memory stays bounded, losses are counted, and it goes on with a key frame', async () => {
    const server = await openServer()
    const { isLive, show, uplink } = startUplink(`${server.access}/session/t`)
    const peer = await server.peer(1)
    await isLive()
    const key = framePackets({ bytes: 30_000, isKey: true, tellsLength: true })
    const inner = framePackets({ bytes: 30_000, isKey: false, tellsLength: true })
    peer.socket.pause()
    for (let count = 0; count < 2_000; count++) {
      show(count % 24 === 0 ? key : inner)
      // Lets the socket take what it can.
      await new Promise((resolve) => setImmediate(resolve))
    }
    const { sentMessages, sentBytes, droppedLiveMessages } = uplink.status()
    expect(sentMessages + droppedLiveMessages).toBe(2_000)
    expect(droppedLiveMessages).toBeGreaterThan(500)

    peer.socket.resume()
    await eventually(() => peer.messages.length === sentMessages)
    show(inner)
    show(key)
    await eventually(() => peer.messages.length === sentMessages + 1)

    expect(peer.messages.at(-1)?.data.equals(key)).toBe(true)
    expect(peer.messages.reduce((sum, { data }) => sum + data.length, 0)).toBe(sentBytes + key.length)
  })

  test.each<[string, (socket: Socket) => void, string]>([
    [
      'another status than 101',
      (socket) => void socket.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n'),
      'RELAY_REFUSED',
    ],
    ['no HTTP at all', (socket) => void socket.end('220 mail.example ESMTP\r\n'), 'RELAY_UNREACHABLE'],
    [
      'a 101 that is none',
      (socket) =>
        void socket.end(
          'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: wrong\r\n\r\n',
        ),
      'RELAY_UNREACHABLE',
    ],
    ['nothing but the end', (socket) => void socket.end(), 'RELAY_UNREACHABLE'],
  ])('wrong answer of the relay: %s', async (_what, answer, code) => {
    const server = await openServer()
    server.onUpgrade = (_request, socket) => {
      answer(socket as Socket)
      return 'answered'
    }
    const { clock, fails, isLive, uplink } = startUplink(`${server.access}/session/t`)
    await fails(code)

    server.onUpgrade = () => 'accept'
    await advanceUntil(clock, () => server.peers.length === 1)
    await isLive()
    expect(uplink.status()).toMatchObject({ connects: 1, failures: 0, fault: undefined })
  })

  test.each([
    ['a page of HTML', 200, '<html>sign in</html>', 'ACCESS_BAD_ANSWER'],
    ['an empty body', 200, '', 'ACCESS_BAD_ANSWER'],
    [
      'an address that is no websocket',
      200,
      '{"uri":"https://example.org/secret-code-x"}',
      'ACCESS_BAD_ANSWER',
    ],
    ['the old 500', 500, '{"code":500,"message":"token invalid"}', 'ACCESS_REFUSED'],
    ['the 401 with a text', 401, '"Token Wrong Topic"\n', 'ACCESS_REFUSED'],
    ['too much to do', 429, '{}', 'RETRY_LATER'],
  ])('wrong answer of the access server: %s', async (_what, status, body, code) => {
    const server = await openServer()
    const works = server.onPost
    server.onPost = (_post, response) => response.writeHead(status).end(body)
    const { clock, fails, isLive, uplink } = startUplink(`${server.access}/session/t`)
    await fails(code)

    server.onPost = works
    await advanceUntil(clock, () => server.peers.length === 1)
    await isLive()
    expect(uplink.status()).toMatchObject({ connects: 1, failures: 0, fault: undefined })
  })

  test('a relay that breaks the protocol or sends too much is left, and dialled again', async () => {
    const server = await openServer()
    const { clock, isLive, fails, uplink } = startUplink(`${server.access}/session/t`)
    const first = await server.peer(1)
    await isLive()
    first.socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff]))
    await fails('RELAY_LOST')
    await advanceUntil(clock, () => server.peers.length === 2)
    await isLive()

    const second = await server.peer(2)
    second.websocket.send(Buffer.alloc(10_485_761))
    await fails('RELAY_LOST')
    await advanceUntil(clock, () => server.peers.length === 3)
    await isLive()
    expect(uplink.status().connects).toBe(3)
  })

  test('a relay that accepts and closes is not hammered', async () => {
    const server = await openServer()
    const { clock } = startUplink(`${server.access}/session/t`)
    let seen = 0
    for (let step = 0; step < 120; step++) {
      for (; seen < server.peers.length; seen++) server.peers[seen]?.websocket.close(1001)
      await clock.advance(250)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }

    expect(server.peers.length).toBeGreaterThan(1)
    // Thirty seconds, waits of one second and more.
    expect(server.peers.length).toBeLessThan(15)
  })
})

test('on the real clock it is live within a second and stops within one', async () => {
  const server = await openServer()
  const startedAtMs = systemClock.monotonicMs()
  const { isLive, stop } = startUplink(`${server.access}/session/t`, { clock: systemClock as FakeClock })
  await isLive()
  const liveAfterMs = systemClock.monotonicMs() - startedAtMs
  await stop()

  expect(liveAfterMs).toBeLessThan(5_000)
  expect(systemClock.monotonicMs() - startedAtMs - liveAfterMs).toBeLessThan(5_000)
})
