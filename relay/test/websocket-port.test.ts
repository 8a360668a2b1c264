import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { handshake, rawExchange, rawHttp, rawUpgrade } from '../../common/test/support/raw-http.ts'
import { RunningRelay } from './support/running-relay.ts'
import { Viewer } from './support/viewer.ts'

let running: RunningRelay
beforeAll(async () => {
  running = await RunningRelay.start()
})
afterAll(async () => {
  await running[Symbol.asyncDispose]()
})

/** The path and query of a fresh one-time address. */
async function target(topic: string): Promise<string> {
  const url = new URL(await running.address(topic))
  return `${url.pathname}${url.search}`
}

describe('a plain request on the websocket port', () => {
  test.each([
    ['GET', '/session/x', 400, 'Bad Request\n', '13'],
    ['POST', '/session/x', 400, 'Bad Request\n', '13'],
    ['GET', '/', 404, 'Not Found\n', undefined],
    ['GET', '/shell/x', 404, 'Not Found\n', undefined],
    ['GET', '/stats', 404, 'Not Found\n', undefined],
    ['GET', '/debug/pprof/cmdline', 404, 'Not Found\n', undefined],
    ['GET', '/session/%zz', 400, '400 Bad Request\n', undefined],
  ])('%s %s: %i', async (method, path, status, body, version) => {
    const answer = await rawHttp(running.ports.relay, { method, target: path })

    expect(answer).toMatchObject({ status, body })
    expect(answer?.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
    })
    expect(answer?.headers['sec-websocket-version']).toBe(version)
  })

  test('whose path is not clean is sent to the clean one, query kept', async () => {
    const answer = await rawHttp(running.ports.relay, { target: '//session/../session/x?code=y&z' })

    expect(answer).toMatchObject({
      status: 301,
      body: '<a href="/session/x?code=y&amp;z">Moved Permanently</a>.\n\n',
    })
    expect(answer?.headers).toMatchObject({
      location: '/session/x?code=y&z',
      'content-type': 'text/html; charset=utf-8',
    })
  })

  test('leaves the connection open for the next', async () => {
    const one = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'

    const text = await rawExchange(
      running.ports.relay,
      `${one}${one}GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    )

    expect(text.split('HTTP/1.1 404 Not Found')).toHaveLength(4)
  })

  test('that is no request gets 400 and the end', async () => {
    expect(await rawExchange(running.ports.relay, '\u0000\u0001rubbish\r\n\r\n')).toMatch(
      /^HTTP\/1.1 400 Bad Request\r\n/,
    )
  })
})

describe('a handshake', () => {
  test('is answered with what it needs and nothing more', async () => {
    const { socket, answer } = await rawUpgrade(await running.address('hs'))
    socket.destroy()

    expect(answer.split('\r\n').filter((line) => line !== '')).toEqual([
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
    ])
  })

  test('that offers the protocol "null", as jsmpeg does, has it echoed; another has not', async () => {
    const withNull = await Viewer.dial(await running.address('hs'), ['foo', 'null'])
    expect(withNull.socket.protocol).toBe('null')
    withNull.terminate()

    const text = rawExchange(
      running.ports.relay,
      handshake(await target('hs'), {
        'Sec-WebSocket-Protocol': 'foo',
        'Sec-WebSocket-Extensions': 'permessage-deflate',
      }),
      300,
    )
    expect(await text).not.toMatch(/Sec-WebSocket-(Protocol|Extensions)/i)
  })

  test.each([
    ['another protocol', { Upgrade: 'h2c' }, 'GET', 400],
    ['an older version', { 'Sec-WebSocket-Version': '8' }, 'GET', 400],
    ['a key that is none', { 'Sec-WebSocket-Key': 'short' }, 'GET', 400],
    ['another method', {}, 'POST', 405],
  ])('with %s is refused, and its code lives on', async (_what, headers, method, status) => {
    const path = await target('hs')

    const text = await rawExchange(running.ports.relay, handshake(path, headers, method))

    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(text).toMatch(/Sec-Websocket-Version: 13\r\n/)
    expect(text).not.toMatch(/\r\nAllow:/)
    expect(await rawExchange(running.ports.relay, handshake(path), 300)).toMatch(/^HTTP\/1.1 101 /)
  })
})

const sentence = 'the code is missing, unknown, used or too old: ask the access API for a new one\n'

describe('a code', () => {
  test.each([
    ['no code', '/session/c'],
    ['an empty code', '/session/c?code='],
    ['an unknown code', '/session/c?code=00000000-0000-4000-8000-000000000000'],
    ['no topic', '/session'],
  ])('%s is refused with 401 before the upgrade, and the connection ends', async (_what, path) => {
    const text = await rawExchange(running.ports.relay, handshake(path))

    expect(text).toMatch(/^HTTP\/1.1 401 Unauthorized\r\n/)
    expect(text).toMatch(/\r\nConnection: close\r\n/)
    expect(text.endsWith(`\r\n\r\n${sentence}`)).toBe(true)
  })

  test('works once', async () => {
    const address = await running.address('once')
    const first = await Viewer.dial(address)

    await expect(Viewer.dial(address)).rejects.toThrow('refused with 401')
    first.terminate()
  })

  test('for one topic is used up on another', async () => {
    const address = await running.address('right')

    await expect(Viewer.dial(address.replace('/session/right', '/session/wrong'))).rejects.toThrow(
      'refused with 401',
    )
    await expect(Viewer.dial(address)).rejects.toThrow('refused with 401')
  })

  test('is not used up on a path of another kind', async () => {
    const address = await running.address('kind')
    await expect(Viewer.dial(address.replace('/session/', '/shell/'))).rejects.toThrow('refused with 404')

    const viewer = await Viewer.dial(address)

    viewer.terminate()
  })

  test('is found among other parameters, with a slash behind the topic', async () => {
    const url = new URL(await running.address('param'))

    const viewer = await Viewer.dial(`${url.origin}/session/param/?a=1&${url.search.slice(1)}&code=other`)

    expect(viewer.closed).toBeUndefined()
    viewer.terminate()
  })

  test.each(['a.b', 'a+b', 'a,b', "a'b", 'a(b', 'a*b', 'a&b', '-_A9', 'a/b/c'])(
    'opens the topic %s',
    async (topic) => {
      const viewer = await Viewer.dial(await running.address(topic))

      expect(viewer.closed).toBeUndefined()
      viewer.terminate()
    },
  )
})

test('a peer that says nothing is not kept for ever', async () => {
  const startedMs = performance.now()

  await rawExchange(running.ports.relay, 'GET /session/x HTTP/1.1\r\nHost: slow', 25_000)

  expect(performance.now() - startedMs).toBeLessThan(20_000)
})
