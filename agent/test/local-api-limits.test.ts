import { once } from 'node:events'
import { createServer } from 'node:net'
import { systemClock } from '@relay/common/clock'
import { createLog } from '@relay/common/log'
import { describe, expect, test } from 'vitest'
import { FeedHub } from '../src/feeds/feed-hub.ts'
import { DestinationRules, StreamRules } from '../src/feeds/rules.ts'
import { LocalApi } from '../src/local-api/local-api.ts'
import { LocalApiFixture, runCommand } from './local-api-fixture.ts'

const get = (path: string, headers = 'Host: localhost:8888\r\n'): string =>
  `GET ${path} HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`

describe('who may ask', () => {
  test.each([
    ['Host: localhost:8888\r\n', '200'],
    ['Host: 127.0.0.1\r\n', '200'],
    ['Host: evil.example:8888\r\n', '403'],
    ['Host: 192.168.1.7:8888\r\n', '403'],
    ['Host: localhost\r\nOrigin: https://evil.example\r\n', '403'],
    ['Host: localhost\r\nOrigin: null\r\n', '403'],
    ['Host: localhost\r\nSec-Fetch-Site: cross-site\r\n', '403'],
    ['Host: localhost\r\nSec-Fetch-Site: none\r\n', '200'],
    ['Host: localhost:8888\r\nOrigin: http://localhost:8888\r\n', '200'],
    ['Host: localhost\r\nOrigin: https://lab.example.org\r\nSec-Fetch-Site: cross-site\r\n', '200'],
    ['Host: spin30.lab:8888\r\n', '200'],
    // HTTP wants exactly one Host.
    ['', '400'],
  ])('%j gets %s', async (headers, status) => {
    await using api = await LocalApiFixture.open({
      options: { allowedOrigins: ['https://lab.example.org'], allowedHosts: ['spin30.lab'] },
    })
    expect(await api.raw(get('/healthcheck', headers))).toContain(`HTTP/1.1 ${status} `)
  })

  test('the host of a whole address counts more than the header', async () => {
    await using api = await LocalApiFixture.open()
    expect(await api.raw(get('http://evil.example/healthcheck'))).toContain('HTTP/1.1 403 ')
    expect(await api.raw(get('http://localhost/healthcheck'))).toContain('HTTP/1.1 200 ')
  })

  test('a web page that posts or deletes a rule changes nothing', async () => {
    await using api = await LocalApiFixture.open()
    const origin = ['-H', 'Origin: https://evil.example']
    await runCommand('curl', ['-s', '-d', '{"id":"0"}', `${api.url}/api/destinations`])
    await runCommand('curl', ['-s', ...origin, '-d', '{"id":"1"}', `${api.url}/api/destinations`])
    const { stdout } = await runCommand('curl', [
      '-s',
      ...origin,
      '-X',
      'DELETE',
      `${api.url}/api/destinations/all`,
    ])
    expect(stdout).toContain('web pages of this origin may not use this API')
    expect(api.destinations.list().map(({ id }) => id)).toEqual(['0'])
  })
})

describe('slow and greedy clients', () => {
  test('headers that do not come are given up', async () => {
    await using api = await LocalApiFixture.open({ options: { limits: { headersTimeoutMs: 300 } } })
    const [silent, partial] = [await api.connect(), await api.connect()]
    partial.socket.write('GET /healthcheck HTTP/1.1\r\nHost: loc')
    await Promise.all([silent.closed, partial.closed])
    expect(partial.text).toContain('HTTP/1.1 408 ')
    expect(partial.text).toContain('did not come in time')
  })

  test('a body that does not come is given up', async () => {
    await using api = await LocalApiFixture.open({ options: { limits: { bodyTimeoutMs: 300 } } })
    const reply = await api.raw(
      'POST /api/streams HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{"str',
    )
    expect(reply).toContain('HTTP/1.1 408 ')
    expect(reply).toContain('the body of the request did not come in time')
  })

  test('a body without end is refused', async () => {
    await using api = await LocalApiFixture.open({ options: { limits: { maxBodyBytes: 1_000 } } })
    const long = `{"stream":"${'x'.repeat(5_000)}"}`
    const { stdout } = await runCommand(
      'curl',
      ['-s', '-i', '--data-binary', '@-', `${api.url}/api/streams`],
      long,
    )
    expect(stdout).toContain('HTTP/1.1 413 ')
    expect(stdout).toContain('larger than 1000 bytes')
    expect(api.streams.list()).toEqual([])
  })

  test('headers without end are refused', async () => {
    await using api = await LocalApiFixture.open()
    const reply = await api.raw(get('/healthcheck', `Host: localhost\r\nX-Long: ${'x'.repeat(20_000)}\r\n`))
    expect(reply).toContain('HTTP/1.1 431 ')
  })

  test('connections beyond the limit are closed, and there is room again once one has gone', async () => {
    await using api = await LocalApiFixture.open({ options: { limits: { maxConnections: 3 } } })
    const open = [await api.connect(), await api.connect(), await api.connect()]
    await expect.poll(() => api.api.status.connections, { timeout: 20_000 }).toBe(3)
    const fourth = await api.connect()
    await fourth.closed
    expect(api.api.status.refusedConnections).toBe(1)
    open[0]?.socket.destroy()
    await expect.poll(() => api.api.status.connections, { timeout: 20_000 }).toBe(2)
    expect(await api.raw(get('/healthcheck'))).toContain('"ok"\n')
  })

  test('an answer that nobody reads is given up', async () => {
    await using api = await LocalApiFixture.open({
      options: { limits: { answerTimeoutMs: 300, maxStreams: 300 } },
    })
    // Some 60 MB in one answer: more than the kernel keeps for both ends.
    for (let i = 0; i < 250; i += 1) {
      api.streams.put({ stream: `stream/${i}`, feeds: ['x'.repeat(240_000)] })
    }
    const connection = await api.connect()
    connection.socket.pause()
    connection.socket.write(get('/api/streams/all'))
    await expect.poll(() => api.api.status.connections, { timeout: 20_000 }).toBe(1)
    await expect.poll(() => api.api.status.connections, { timeout: 20_000 }).toBe(0)
  })

  test('a client that ends its side after asking is answered all the same', async () => {
    await using api = await LocalApiFixture.open()
    const connection = await api.connect()
    const rule = '{"id":"0","token":"a.b.c"}'
    connection.socket.end(
      `POST /api/destinations HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${rule.length}\r\n\r\n${rule}` +
        'GET /api/destinations/all HTTP/1.1\r\nHost: localhost\r\n\r\n',
    )
    await connection.closed
    expect(connection.text).toContain('{"id":"0","stream":"","destination":"","token":"a.b.c","file":""}')
    expect(connection.text).toContain('{"0":{"id":"0"')
  })
})

describe('opening and closing', () => {
  test('localhost means both loopback addresses', async () => {
    await using api = await LocalApiFixture.open({ options: { host: 'localhost' } })
    const { stdout } = await runCommand('curl', ['-s', `http://127.0.0.1:${api.api.port}/healthcheck`])
    expect(stdout).toBe('"ok"\n')
    const probe = createServer()
    const hasIpv6 = await new Promise((resolve) => {
      probe.once('error', () => resolve(false))
      probe.listen(0, '::1', () => probe.close(() => resolve(true)))
    })
    if (hasIpv6 === false) return
    const six = await runCommand('curl', ['-s', '-g', `http://[::1]:${api.api.port}/healthcheck`])
    expect(six.stdout).toBe('"ok"\n')
  })

  test('a port in use is one clear sentence, and leaves nothing behind', async () => {
    await using api = await LocalApiFixture.open()
    const hub = new FeedHub()
    const deps = {
      hub,
      destinations: new DestinationRules({ prepare: () => ({ ok: false, refusal: 'none' }) }),
      streams: new StreamRules(hub),
      clock: systemClock,
      log: createLog({ program: 'test', level: 'silent' }),
    }
    const { port } = api.api
    await expect(LocalApi.open({ host: '127.0.0.1', port }, deps)).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: `the local API: port ${port} of 127.0.0.1 is in use by another program; stop it or choose another port`,
    })
    expect(hub.memberCount('api')).toBe(0)
  })

  test('close says goodbye to websockets, cuts the rest, and leaves nothing behind', async () => {
    const api = await LocalApiFixture.open()
    const [peer, stalled] = [await api.dial('data'), await api.dial('data')]
    stalled.socket.pause()
    const upload = await api.connect()
    upload.socket.write('POST /ts/video HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n')
    const idle = await api.connect()
    await expect.poll(() => api.api.status.uploads.length, { timeout: 20_000 }).toBe(1)

    const closing = api.api.close()
    // It waits a second for the stalled one; meanwhile nobody new may join.
    const late = await api.raw(
      'GET /ws/data HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    )
    expect(late).toContain('HTTP/1.1 503 ')
    await closing

    expect(await peer.closed).toBe(1001)
    await Promise.all([upload.closed, idle.closed])
    expect(api.api.status).toMatchObject({ connections: 0, uploads: [], clients: [] })
    expect(api.hub.memberCount('data') + api.hub.memberCount('api')).toBe(0)
    const later = await api.connect().catch((error: unknown) => error)
    expect(later).toMatchObject({ code: 'ECONNREFUSED' })
    await api[Symbol.asyncDispose]()
  })
})

test('no token is ever logged', async () => {
  const lines: string[] = []
  const log = createLog({
    program: 'test',
    level: 'trace',
    destination: { write: (line) => void lines.push(line) },
  })
  await using api = await LocalApiFixture.open({ deps: { log } })
  const rule = '{"id":"0","stream":"v","destination":"https://a/session/x?code=thecode","token":"thesecret"}'
  await runCommand('curl', ['-s', '-d', rule, `${api.url}/api/destinations`])
  await runCommand('curl', ['-s', '-d', `${rule}x`, `${api.url}/api/destinations`])
  await runCommand('curl', ['-s', `${api.url}/api/destinations/all`])
  const peer = await api.dial('api')
  await peer.ask(`{"verb":"add","what":"destination","rule":${rule}}`)
  peer.socket.close()
  await once(peer.socket, 'close')
  expect(lines.length).toBeGreaterThan(0)
  expect(lines.join('')).not.toMatch(/thesecret|thecode/)
})
