import { once } from 'node:events'
import { FakeClock } from '@relay/common/fake-clock'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { LocalApiFixture } from './local-api-fixture.ts'

const mebibyte = 1024 * 1024

async function refusalOf(url: string, options: WebSocket.ClientOptions = {}): Promise<number> {
  const socket = new WebSocket(url, options)
  socket.on('error', () => undefined)
  const [, response] = (await once(socket, 'unexpected-response')) as [
    unknown,
    { statusCode: number; resume(): void },
  ]
  response.resume()
  socket.terminate()
  return response.statusCode
}

describe('a local websocket', () => {
  test('passes text and binary on as they are, to all of its feed but the sender', async () => {
    await using api = await LocalApiFixture.open()
    const [a, b, c, other] = await Promise.all([
      api.dial('data'),
      api.dial('data'),
      api.dial('data'),
      api.dial('other'),
    ])
    a.socket.send('t')
    a.socket.send(Buffer.from([1, 255]))
    a.socket.send('')
    // No UTF-8: serial adaptors send such text.
    a.socket.send(Buffer.from([0xff, 0xfe]), { binary: false })
    await Promise.all([b.count(4), c.count(4)])
    const expected = [
      { data: Buffer.from('t'), binary: false },
      { data: Buffer.from([1, 255]), binary: true },
      { data: Buffer.alloc(0), binary: false },
      { data: Buffer.from([0xff, 0xfe]), binary: false },
    ]
    expect(b.messages).toEqual(expected)
    expect(c.messages).toEqual(expected)
    b.socket.send('back')
    await a.count(1)
    expect(a.texts).toEqual(['back'])
    expect(other.messages).toEqual([])
  })

  test('echoes the subprotocol null, no other, and never compresses', async () => {
    await using api = await LocalApiFixture.open()
    const asked = await api.dial('data', { protocols: ['x', 'null'] })
    expect(asked.socket.protocol).toBe('null')
    expect(asked.socket.extensions).toBe('')
    const none = await api.dial('data')
    expect(none.socket.protocol).toBe('')
  })

  test('loses nothing of a burst in one segment', async () => {
    await using api = await LocalApiFixture.open()
    const [a, b] = [await api.dial('data'), await api.dial('data')]
    const texts = Array.from({ length: 2_000 }, (_, i) => `{"n":${i}}`)
    for (const text of texts) a.socket.send(text)
    await b.count(texts.length)
    expect(b.texts).toEqual(texts)
    expect(api.api.status.droppedMessages).toBe(0)
  })

  test('takes 10 MiB, and closes with 1009 beyond', async () => {
    await using api = await LocalApiFixture.open()
    const [a, b] = [await api.dial('data'), await api.dial('data')]
    a.socket.send(Buffer.alloc(10 * mebibyte, 7))
    await b.count(1)
    expect(b.messages[0]?.data.length).toBe(10 * mebibyte)
    const fragment = Buffer.alloc(mebibyte)
    for (let i = 0; i < 10; i += 1) a.socket.send(fragment, { fin: false })
    a.socket.send(Buffer.alloc(1))
    expect([1006, 1009]).toContain(await a.closed)
    expect(b.messages).toHaveLength(1)
  })

  test('that leaves is forgotten', async () => {
    await using api = await LocalApiFixture.open()
    const [a, b] = [await api.dial('data'), await api.dial('data')]
    a.socket.close()
    b.socket.terminate()
    await expect.poll(() => api.hub.memberCount('data'), { timeout: 20_000 }).toBe(0)
    expect(api.api.status.clients).toEqual([])
    await expect.poll(() => api.api.status.connections, { timeout: 20_000 }).toBe(0)
  })

  test('that breaks the protocol is closed alone', async () => {
    await using api = await LocalApiFixture.open()
    const [a, b] = [await api.dial('data'), await api.dial('data')]
    const raw = await api.connect()
    raw.socket.write(
      'GET /ws/data HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    )
    await raw.contains('101 Switching Protocols')
    raw.socket.write(Buffer.from([0x83, 0x81, 0, 0, 0, 0, 0]))
    await raw.closed
    a.socket.send('still here')
    await b.count(1)
    expect(b.texts).toEqual(['still here'])
  })

  test('may bring its first frames together with the request', async () => {
    await using api = await LocalApiFixture.open()
    const data = api.listen('data')
    const raw = await api.connect()
    const head =
      'GET /ws/data HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n'
    const frameOfX = Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x78])
    raw.socket.write(Buffer.concat([Buffer.from(head), frameOfX, frameOfX]))
    await data.count(2)
    raw.socket.write(frameOfX)
    await data.count(3)
    expect(data.bytes.toString()).toBe('xxx')
  })
})

describe('a stream', () => {
  test('gathers feeds, sends nothing back, and follows changes without reconnecting', async () => {
    await using api = await LocalApiFixture.open()
    api.streams.put({ stream: 'stream/s', feeds: ['fa', 'fb'] })
    const [s, a, b] = [await api.dial('stream/s'), await api.dial('fa'), await api.dial('fb')]
    a.socket.send('a')
    await s.count(1)
    b.socket.send(Buffer.from([2]))
    await s.count(2)
    s.socket.send('up')
    api.streams.put({ stream: 'stream/s', feeds: ['fb'] })
    a.socket.send('muted')
    // A ping of a's own shows that 'muted' has been read, so that its order to 'b' is sure.
    a.socket.ping()
    await once(a.socket, 'pong')
    b.socket.send('b')
    await s.count(3)
    expect(s.texts).toEqual(['a', '\u0002', 'b'])
    s.socket.ping()
    await once(s.socket, 'pong')
    expect([...a.messages, ...b.messages]).toEqual([])
  })
})

describe('a client that does not read', () => {
  test('loses whole messages, which are counted, and delays nobody', async () => {
    await using api = await LocalApiFixture.open({ options: { limits: { maxBufferedBytes: mebibyte } } })
    const [sender, reader, stalled] = [await api.dial('data'), await api.dial('data'), await api.dial('data')]
    stalled.socket.pause()
    // More than what the kernel's buffers of a loopback connection can take.
    const messages = 400
    for (let i = 0; i < messages; i += 1) {
      sender.socket.send(Buffer.alloc(65_536, i & 255))
      await reader.count(i + 1)
    }
    expect(reader.messages).toHaveLength(messages)
    const { clients, droppedMessages } = api.api.status
    expect(droppedMessages).toBeGreaterThan(0)
    expect(clients.map((client) => client.droppedMessages).sort((x, y) => x - y)).toEqual([
      0,
      0,
      droppedMessages,
    ])
    stalled.socket.resume()
    const kept = messages - droppedMessages
    await stalled.count(kept)
    expect(stalled.messages.every(({ data }) => data.length === 65_536)).toBe(true)
    // From now on it gets everything again.
    sender.socket.send('now')
    await stalled.count(kept + 1)
    expect(stalled.texts.at(-1)).toBe('now')
  })

  test('is bounded also where messages are tiny and many', async () => {
    await using api = await LocalApiFixture.open({ options: { limits: { maxBufferedBytes: 256 * 1024 } } })
    const stalled = await api.dial('data')
    stalled.socket.pause()
    const from = { name: 'sender', deliver: () => undefined }
    // Fills the kernel's buffers, then counts what is kept of one-byte messages.
    for (let i = 0; i < 300; i += 1)
      api.hub.publish('data', { data: Buffer.alloc(65_536), binary: true }, from)
    await new Promise((resolve) => setImmediate(resolve))
    const before = api.api.status.clients[0]?.sentMessages ?? 0
    for (let i = 0; i < 20_000; i += 1) api.hub.publish('data', { data: Buffer.alloc(1), binary: true }, from)
    const after = api.api.status.clients[0]?.sentMessages ?? 0
    expect(after - before).toBeLessThan(1_100)
  })
})

describe('liveness', () => {
  test('every client is pinged after 54 s, and one that answers stays', async () => {
    const clock = new FakeClock()
    await using api = await LocalApiFixture.open({ deps: { clock } })
    const peer = await api.dial('data')
    for (let round = 0; round < 5; round += 1) {
      const pinged = once(peer.socket, 'ping')
      await clock.advance(54_000)
      await pinged
      // The pong is read before the own ping is answered.
      peer.socket.ping()
      await once(peer.socket, 'pong')
    }
    expect(peer.socket.readyState).toBe(WebSocket.OPEN)
  })

  test('a client that never answers a ping is dropped after 60 s, data or not', async () => {
    const clock = new FakeClock()
    await using api = await LocalApiFixture.open({ deps: { clock } })
    const data = api.listen('data')
    const socket = new WebSocket(`ws://127.0.0.1:${api.api.port}/ws/data`, { autoPong: false })
    await once(socket, 'open')
    await clock.advance(59_000)
    socket.send('x')
    await data.count(1)
    expect(socket.readyState).toBe(WebSocket.OPEN)
    await clock.advance(1_000)
    await once(socket, 'close')
    await expect.poll(() => api.hub.memberCount('data'), { timeout: 20_000 }).toBe(1)
  })
})

describe('refusals', () => {
  test('a web page of another site may not open a websocket; the own address and no origin are fine', async () => {
    await using api = await LocalApiFixture.open({ options: { allowedOrigins: ['https://lab.example.org'] } })
    const url = `ws://127.0.0.1:${api.api.port}/ws/data`
    expect(await refusalOf(url, { origin: 'https://evil.example' })).toBe(403)
    expect(await refusalOf(url, { origin: 'null' })).toBe(403)
    expect(await refusalOf(url, { headers: { Host: 'evil.example' } })).toBe(403)
    expect(api.hub.memberCount('data')).toBe(0)
    expect(api.api.status.refusedRequests).toBeGreaterThan(0)
    await api.dial('data', { origin: 'https://lab.example.org' })
    await api.dial('data', { origin: `http://127.0.0.1:${api.api.port}` })
    await api.dial('data')
  })

  test.each([
    ['GET', 'Sec-WebSocket-Version: 13', '101 Switching Protocols'],
    ['POST', 'Sec-WebSocket-Version: 13', '405 Method Not Allowed'],
    ['UPDATE', 'Sec-WebSocket-Version: 13', '405 Method Not Allowed'],
    ['GET', 'Sec-WebSocket-Version: 12', '400 Bad Request'],
    ['GET', 'X-Nothing: 1', '400 Bad Request'],
  ])('%s with %s gets %s', async (method, version, status) => {
    await using api = await LocalApiFixture.open()
    const raw = await api.connect()
    raw.socket.write(
      `${method} /ws/data HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `${version}\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
    )
    await raw.contains('\r\n\r\n')
    expect(raw.text).toContain(`HTTP/1.1 ${status}\r\n`)
    expect(raw.text.includes('Sec-Websocket-Version: 13')).toBe(!status.startsWith('101'))
  })

  test('an upgrade to something else is served as what it asks for', async () => {
    await using api = await LocalApiFixture.open()
    const headers = 'Host: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n'
    const raw = await api.connect()
    raw.socket.write(`GET /healthcheck HTTP/1.1\r\n${headers}\r\n`)
    await raw.contains('"ok"\n')
    expect(raw.text).toContain('HTTP/1.1 200 OK')
  })

  test('names outside of the pattern, and other paths, are not found', async () => {
    await using api = await LocalApiFixture.open()
    for (const path of ['/ws/', '/ws/a_b', '/ws/a.b', '/nope', '/ts_/x']) {
      expect(await refusalOf(`ws://127.0.0.1:${api.api.port}${path}`)).toBe(404)
    }
  })

  test('there is a limit, and room again once one has left', async () => {
    await using api = await LocalApiFixture.open({ options: { limits: { maxClients: 2 } } })
    const first = await api.dial('data')
    await api.dial('data')
    expect(await refusalOf(`ws://127.0.0.1:${api.api.port}/ws/data`)).toBe(503)
    first.socket.terminate()
    await expect.poll(() => api.api.status.clients.length, { timeout: 20_000 }).toBe(1)
    await api.dial('data')
  })
})

describe('the feed api', () => {
  test('answers each command by text, to everybody, after the others have seen the command', async () => {
    await using api = await LocalApiFixture.open()
    const [a, b] = [await api.dial('api'), await api.dial('api')]
    a.socket.send('{"verb":"healthcheck"}')
    a.socket.send(Buffer.from('{"verb":"list","what":"destination","which":"all"}'))
    await Promise.all([a.count(2), b.count(4)])
    expect(a.messages).toEqual([
      { data: Buffer.from('{"healthcheck":"ok"}'), binary: false },
      { data: Buffer.from('{}'), binary: false },
    ])
    const [command, answer] = [
      b.texts.indexOf('{"verb":"healthcheck"}'),
      b.texts.indexOf('{"healthcheck":"ok"}'),
    ]
    expect(command).toBeGreaterThanOrEqual(0)
    expect(answer).toBeGreaterThan(command)
    expect(b.texts.indexOf('{}')).toBeGreaterThan(b.texts.findIndex((text) => text.includes('"all"')))
  })

  test.each([
    ['v0.2', '{"error":"Unrecognised Command"}', '{"error":"Cannot delete apiRule"}'],
    ['v0.9', '{"error":"unrecognised Command"}', '{"error":"cannot delete apiRule"}'],
  ] as const)('has the words of %s', async (errorTexts, unrecognised, notDeleted) => {
    await using api = await LocalApiFixture.open({ options: { errorTexts } })
    const peer = await api.dial('api')
    expect(await peer.ask('Not even JSON')).toBe(unrecognised)
    expect(await peer.ask('{"verb":"delete","what":"destination","which":"apiRule"}')).toBe(notDeleted)
  })

  test('answers each of the commands that an old relay has joined, in order', async () => {
    await using api = await LocalApiFixture.open()
    const answers = api.listen('api')
    const joined = '{"verb":"healthcheck"}{"verb":"list","what":"stream","which":"all"} {"verb":"no"}'
    const from = { name: 'old relay', deliver: () => undefined }
    api.hub.publish('api', { data: Buffer.from(joined), binary: false }, from)
    await answers.count(4)
    expect(answers.messages.slice(1).map(({ data }) => data.toString())).toEqual([
      '{"healthcheck":"ok"}',
      '{}',
      '{"error":"Unrecognised Command"}',
    ])
  })

  test('gives one answer to a message of more commands than a relay joins', async () => {
    await using api = await LocalApiFixture.open()
    const peer = await api.dial('api')
    expect(await peer.ask('{"verb":"healthcheck"}'.repeat(65))).toBe('{"error":"Unrecognised Command"}')
    expect(await peer.ask('{"verb":"healthcheck"}')).toBe('{"healthcheck":"ok"}')
  })

  test('survives an add without a rule, and a stream deleted before its destination', async () => {
    await using api = await LocalApiFixture.open()
    const peer = await api.dial('api')
    expect(await peer.ask('{"verb":"add","what":"destination"}')).toContain('add needs a rule')
    await peer.ask('{"verb":"add","what":"stream","rule":{"stream":"stream/s","feeds":["a"]}}')
    await peer.ask(
      '{"verb":"add","what":"destination","rule":{"id":"0","stream":"stream/s","destination":"ws://h/x"}}',
    )
    expect(await peer.ask('{"verb":"delete","what":"stream","which":"stream/s"}')).toBe(
      '{"deleted":"stream/s"}',
    )
    expect(await peer.ask('{"verb":"delete","what":"destination","which":"0"}')).toBe('{"deleted":"0"}')
    expect(await peer.ask('{"verb":"healthcheck"}')).toBe('{"healthcheck":"ok"}')
  })

  test('drops commands of a flood, counts them, and goes on', async () => {
    await using api = await LocalApiFixture.open()
    const answers = api.listen('api')
    const from = { name: 'flood', deliver: () => undefined }
    for (let i = 0; i < 1_000; i += 1) {
      api.hub.publish('api', { data: Buffer.from('{"verb":"healthcheck"}'), binary: false }, from)
    }
    await answers.count(1_000 + 256)
    expect(api.api.status.droppedCommands).toBe(1_000 - 256)
    const peer = await api.dial('api')
    expect(await peer.ask('{"verb":"healthcheck"}')).toBe('{"healthcheck":"ok"}')
  })

  test('shares its rules with REST', async () => {
    await using api = await LocalApiFixture.open()
    const peer = await api.dial('api')
    await fetch(`${api.url}/api/streams`, { method: 'POST', body: '{"stream":"stream/r","feeds":["f"]}' })
    expect(await peer.ask('{"verb":"list","what":"stream","which":"stream/r"}')).toBe('{"feeds":["f"]}')
    await peer.ask('{"verb":"delete","what":"stream","which":"all"}')
    const reply = await fetch(`${api.url}/api/streams/all`)
    expect(await reply.text()).toBe('{}')
  })
})
