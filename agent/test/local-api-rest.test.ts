import { describe, expect, test } from 'vitest'
import { LocalApiFixture, runCommand } from './local-api-fixture.ts'

interface Reply {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

const isRoot = process.getuid?.() === 0
const json = 'application/json'
const text = 'text/plain; charset=utf-8'
const emptyRule = '{"id":"","stream":"","destination":"","token":"","file":""}'

/** One request by the real curl, the path as it is written. */
async function curl(
  api: LocalApiFixture,
  method: string,
  path: string,
  body?: string,
  more: string[] = [],
): Promise<Reply> {
  const args = ['-s', '-i', '--max-time', '20', '--path-as-is', '-g', ...more]
  args.push(...(method === 'HEAD' ? ['-I'] : ['-X', method]))
  if (body !== undefined) args.push('-d', body)
  const { code, stdout } = await runCommand('curl', [...args, `${api.url}${path}`])
  expect(code).toBe(0)
  const headEnd = stdout.indexOf('\r\n\r\n')
  const [first = '', ...lines] = stdout.slice(0, headEnd).split('\r\n')
  const headers = lines.map(
    (line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)] as const,
  )
  return { status: Number(first.split(' ')[1]), headers: new Map(headers), body: stdout.slice(headEnd + 4) }
}

describe('each row of the old table, byte for byte, by curl', () => {
  test('any method on /api is empty', async () => {
    await using api = await LocalApiFixture.open()
    for (const method of ['GET', 'POST', 'DELETE', 'UPDATE']) {
      expect(await curl(api, method, '/api')).toMatchObject({ status: 200, body: '' })
    }
  })

  test('/healthcheck is "ok" and a newline, by GET alone', async () => {
    await using api = await LocalApiFixture.open()
    const reply = await curl(api, 'GET', '/healthcheck')
    expect(reply).toMatchObject({ status: 200, body: '"ok"\n' })
    expect(reply.headers.get('content-type')).toBe(text)
    for (const method of ['POST', 'HEAD', 'OPTIONS', 'UPDATE']) {
      const refused = await curl(api, method, '/healthcheck')
      expect(refused).toMatchObject({ status: 405, body: '' })
      expect(refused.headers.has('allow')).toBe(false)
    }
  })

  test('an unknown path is not found', async () => {
    await using api = await LocalApiFixture.open()
    for (const path of ['/nope', '/', '/debug/pprof/', '/api/streams/under_score', '/ts/']) {
      const reply = await curl(api, 'GET', path)
      expect(reply).toMatchObject({ status: 404, body: '404 page not found\n' })
      expect(reply.headers.get('content-type')).toBe(text)
    }
  })

  test('a path that is not clean is redirected', async () => {
    await using api = await LocalApiFixture.open()
    const reply = await curl(api, 'GET', '//api//destinations/./all?x=1')
    expect(reply).toMatchObject({ status: 301, body: '' })
    expect(reply.headers.get('location')).toBe('/api/destinations/all?x=1')
  })

  test.each(['PUT', 'POST', 'UPDATE'])(
    '%s /api/streams echoes the rule without its leading slash',
    async (method) => {
      await using api = await LocalApiFixture.open()
      const reply = await curl(
        api,
        method,
        '/api/streams',
        '{"stream":"/stream/front/large","feeds":["video0","audio0"]}',
      )
      expect(reply).toMatchObject({
        status: 200,
        body: '{"stream":"stream/front/large","feeds":["video0","audio0"]}',
      })
      expect(reply.headers.get('content-type')).toBe(json)
      expect(await curl(api, 'GET', '/api/streams/all')).toMatchObject({
        status: 200,
        body: '{"stream/front/large":["video0","audio0"]}',
      })
      expect(await curl(api, 'GET', '/api/streams/stream/front/large')).toMatchObject({
        status: 200,
        body: '["video0","audio0"]',
      })
    },
  )

  test('streams: lists, unknown ones, and deleting one', async () => {
    await using api = await LocalApiFixture.open()
    expect(await curl(api, 'GET', '/api/streams/all')).toMatchObject({ status: 200, body: '{}' })
    expect(await curl(api, 'GET', '/api/streams/none')).toMatchObject({
      status: 404,
      body: 'Stream not found\n',
    })
    await curl(api, 'POST', '/api/streams', '{"stream":"stream/b","feeds":["<"]}')
    await curl(api, 'POST', '/api/streams', '{"stream":"stream/a"}')
    expect((await curl(api, 'GET', '/api/streams/all')).body).toBe('{"stream/a":[],"stream/b":["\\u003c"]}')
    expect(await curl(api, 'DELETE', '/api/streams/stream/a')).toMatchObject({
      status: 200,
      body: '"stream/a"',
    })
    expect(await curl(api, 'DELETE', '/api/streams/never')).toMatchObject({ status: 200, body: '"never"' })
    expect((await curl(api, 'GET', '/api/streams/all')).body).toBe('{"stream/b":["\\u003c"]}')
  })

  test.each(['all', 'deleteAll'])('DELETE /api/streams/%s really deletes', async (name) => {
    await using api = await LocalApiFixture.open()
    await curl(api, 'POST', '/api/streams', '{"stream":"stream/a","feeds":["f"]}')
    const reply = await curl(api, 'DELETE', `/api/streams/${name}`)
    expect(reply).toMatchObject({ status: 200, body: '"deleteAll"' })
    expect(reply.headers.get('content-type')).toBe(json)
    expect((await curl(api, 'GET', '/api/streams/all')).body).toBe('{}')
  })

  test.each(['PUT', 'POST', 'UPDATE'])(
    '%s /api/destinations echoes all five keys and starts the rule',
    async (method) => {
      await using api = await LocalApiFixture.open()
      const rule = '{"id":"00","stream":"/stream/large","destination":"wss://video.practable.io:443/large"}'
      const echo =
        '{"id":"00","stream":"stream/large","destination":"wss://video.practable.io:443/large","token":"","file":""}'
      const reply = await curl(api, method, '/api/destinations', rule)
      expect(reply).toMatchObject({ status: 200, body: echo })
      expect(reply.headers.get('content-type')).toBe(json)
      expect(await curl(api, 'GET', '/api/destinations/00')).toMatchObject({ status: 200, body: echo })
      expect(await curl(api, 'GET', '/api/destinations/all')).toMatchObject({
        status: 200,
        body: `{"00":${echo}}`,
      })
      expect(api.started).toHaveLength(1)
    },
  )

  test('destinations: lists, unknown ones, and deleting one', async () => {
    await using api = await LocalApiFixture.open()
    expect((await curl(api, 'GET', '/api/destinations/all')).body).toBe('{}')
    expect(await curl(api, 'GET', '/api/destinations/nope')).toMatchObject({ status: 200, body: emptyRule })
    await curl(api, 'POST', '/api/destinations', '{"id":"1"}')
    await curl(api, 'POST', '/api/destinations', '{"id":"0"}')
    expect((await curl(api, 'GET', '/api/destinations/all')).body).toMatch(/^\{"0":.*,"1":/)
    expect(await curl(api, 'DELETE', '/api/destinations/0')).toMatchObject({ status: 200, body: '"0"' })
    expect(await curl(api, 'DELETE', '/api/destinations/0')).toMatchObject({ status: 200, body: '"0"' })
    expect((await curl(api, 'GET', '/api/destinations/all')).body).toMatch(/^\{"1":/)
  })

  test.each(['all', 'deleteAll'])(
    'DELETE /api/destinations/%s really deletes, but for what is kept',
    async (name) => {
      await using api = await LocalApiFixture.open({ keptIds: new Set(['apiRule']) })
      for (const id of ['0', '1', 'apiRule']) await curl(api, 'POST', '/api/destinations', `{"id":"${id}"}`)
      const reply = await curl(api, 'DELETE', `/api/destinations/${name}`)
      expect(reply).toMatchObject({ status: 200, body: '"deleteAll"' })
      expect((await curl(api, 'GET', '/api/destinations/all')).body).toMatch(/^\{"apiRule":[^}]*\}\}$/)
    },
  )

  test('the id deleteAll is echoed and ignored', async () => {
    await using api = await LocalApiFixture.open()
    const reply = await curl(api, 'POST', '/api/destinations', '{"id":"deleteAll","stream":"x"}')
    expect(reply.body).toBe('{"id":"deleteAll","stream":"x","destination":"","token":"","file":""}')
    expect((await curl(api, 'GET', '/api/destinations/all')).body).toBe('{}')
  })

  test.each([
    ['/api/streams', '', 'unexpected end of JSON input'],
    ['/api/destinations', '', 'unexpected end of JSON input'],
    ['/api/streams', 'nope', "invalid character 'o' in literal null (expecting 'u')"],
    [
      '/api/streams',
      '{"stream":5}',
      'json: cannot unmarshal number into Go struct field Rule.stream of type string',
    ],
    [
      '/api/destinations',
      '{"id":7}',
      'json: cannot unmarshal number into Go struct field Rule.id of type string',
    ],
    ['/api/destinations', '{} x', "invalid character 'x' after top-level value"],
  ])('a bad body for %s: %j', async (path, body, error) => {
    await using api = await LocalApiFixture.open()
    const reply = await curl(api, 'POST', path, body)
    expect(reply).toMatchObject({ status: 500, body: `${error}\n` })
    expect(reply.headers.get('content-type')).toBe(text)
    expect(reply.headers.get('x-content-type-options')).toBe('nosniff')
  })

  test.each(['GET', 'HEAD', 'OPTIONS', 'PATCH'])('%s on a path for rules is not allowed', async (method) => {
    await using api = await LocalApiFixture.open()
    expect(await curl(api, method, '/api/streams')).toMatchObject({ status: 405, body: '' })
    expect(await curl(api, method, '/api/destinations')).toMatchObject({ status: 405, body: '' })
  })

  test('/ws without an upgrade is a bad request', async () => {
    await using api = await LocalApiFixture.open()
    for (const method of ['GET', 'POST']) {
      const reply = await curl(api, method, '/ws/data')
      expect(reply).toMatchObject({ status: 400, body: 'Bad Request\n' })
      expect(reply.headers.get('sec-websocket-version')).toBe('13')
    }
  })

  test('the body counts, not its content type', async () => {
    await using api = await LocalApiFixture.open()
    const reply = await curl(api, 'POST', '/api/streams', '{"STREAM":"x","other":1}', [
      '-H',
      'Content-Type: image/png',
    ])
    expect(reply).toMatchObject({ status: 200, body: '{"stream":"x","feeds":null}' })
  })
})

test('many requests share one connection, UPDATE anywhere among them', async () => {
  await using api = await LocalApiFixture.open()
  const connection = await api.connect()
  const rule = '{"stream":"x","feeds":[]}'
  const put = (method: string): string =>
    `${method} /api/streams HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${rule.length}\r\n\r\n${rule}`
  connection.socket.write(put('PUT'))
  await connection.contains('"feeds":[]}')
  connection.socket.write(put('UPDATE'))
  await connection.contains('"feeds":[]}HTTP/1.1 200 OK')
  // In one segment: the second UPDATE comes before the first is answered.
  connection.socket.write(
    `${put('POST')}${put('UPDATE')}${put('UPDATE')}GET /healthcheck HTTP/1.1\r\nHost: localhost\r\n\r\n`,
  )
  await connection.contains('"ok"\n')
  expect(connection.text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(6)
  expect(connection.text.match(/\{"stream":"x","feeds":\[\]\}/g)).toHaveLength(5)
})

test('UPDATE may come letter by letter', async () => {
  await using api = await LocalApiFixture.open()
  const connection = await api.connect()
  connection.socket.setNoDelay(true)
  for (const letter of 'UPDATE /api/streams HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}') {
    await new Promise((resolve) => connection.socket.write(letter, resolve))
    await new Promise((resolve) => setImmediate(resolve))
  }
  await connection.contains('{"stream":"","feeds":null}')
  expect(connection.text).toContain('HTTP/1.1 200 OK')
})

test('a method nobody knows is refused in a sentence', async () => {
  await using api = await LocalApiFixture.open()
  expect(await api.raw('UPLOAD /api/streams HTTP/1.1\r\nHost: localhost\r\n\r\n')).toContain(
    'the method of the request is unknown',
  )
  expect(await api.raw('nonsense\r\n\r\n')).toContain('HTTP/1.1 400 Bad Request')
})

test('a rule that may not run is refused in a sentence, and the one of its id stays', async () => {
  await using api = await LocalApiFixture.open()
  await curl(api, 'POST', '/api/destinations', '{"id":"0","destination":"ws://h/a"}')
  const reply = await curl(api, 'POST', '/api/destinations', '{"id":"0","file":"../../etc/passwd"}')
  expect(reply).toMatchObject({ status: 400, body: 'file "../../etc/passwd" is outside of the recordings\n' })
  expect((await curl(api, 'GET', '/api/destinations/0')).body).toContain('ws://h/a')
})

describe('tokens', () => {
  const rule = '{"stream":"video","destination":"https://a/session/x","id":"0","token":"a.b.c"}'

  test('are echoed to who posts them, and hidden in what is listed', async () => {
    await using api = await LocalApiFixture.open({ deps: { peerIsRoot: () => Promise.resolve(false) } })
    expect((await curl(api, 'POST', '/api/destinations', rule)).body).toContain('"token":"a.b.c"')
    expect((await curl(api, 'GET', '/api/destinations/all')).body).toContain('"token":"(hidden)"')
    expect((await curl(api, 'GET', '/api/destinations/0')).body).toContain('"token":"(hidden)"')
  })

  test('are shown to the root of the same machine alone, as the kernel tells', async () => {
    await using api = await LocalApiFixture.open()
    await curl(api, 'POST', '/api/destinations', rule)
    const own = await curl(api, 'GET', '/api/destinations/all')
    expect(own.body).toContain(process.getuid?.() === 0 ? '"token":"a.b.c"' : '"token":"(hidden)"')
  })

  test.skipIf(!isRoot)(
    `are hidden from another user of this machine${isRoot ? '' : ' (skipped: it needs root)'}`,
    async () => {
      await using api = await LocalApiFixture.open()
      await curl(api, 'POST', '/api/destinations', rule)
      const url = `${api.url}/api/destinations/all`
      const { stdout } = await runCommand('setpriv', [
        '--reuid',
        '65534',
        '--clear-groups',
        'curl',
        '-s',
        url,
      ])
      expect(stdout).toBe(
        '{"0":{"id":"0","stream":"video","destination":"https://a/session/x","token":"(hidden)","file":""}}',
      )
    },
  )

  test('stay hidden where the owner cannot be found out', async () => {
    await using api = await LocalApiFixture.open({
      deps: { peerIsRoot: () => Promise.reject(new Error('no /proc')) },
    })
    await curl(api, 'POST', '/api/destinations', rule)
    expect((await curl(api, 'GET', '/api/destinations/0')).body).toContain('"token":"(hidden)"')
  })

  test('that were listed as hidden cannot be posted back', async () => {
    await using api = await LocalApiFixture.open()
    const reply = await curl(api, 'POST', '/api/destinations', rule.replace('a.b.c', '(hidden)'))
    expect(reply.status).toBe(400)
    expect(reply.body).toContain('give the token itself')
  })
})
