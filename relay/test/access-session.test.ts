import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RawRequest, rawExchange, rawHttp } from '../../common/test/support/raw-http.ts'
import { RunningRelay } from './support/running-relay.ts'
import { audience, claimsFor, mint } from './support/tokens.ts'

const nowSec = Math.floor(Date.now() / 1000)
const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/

let running: RunningRelay
beforeAll(async () => {
  running = await RunningRelay.start({ settings: { ACCESS_REFUSED_REQUESTS: '100000' } })
})
afterAll(async () => {
  await running[Symbol.asyncDispose]()
})

async function post(topic: string, token: string | undefined, more: Partial<RawRequest> = {}) {
  const answer = await rawHttp(running.ports.access, {
    method: 'POST',
    target: `/session/${encodeURIComponent(topic)}`,
    ...more,
    headers: { ...(token === undefined ? {} : { Authorization: token }), ...more.headers },
  })
  if (answer === undefined) throw new Error('closed without an answer')
  return answer
}

describe('a good token', () => {
  test('gets a one-time address, as JSON and a newline, with no header that old clients do not know', async () => {
    const answer = await post('123', mint(claimsFor('123')), { headers: { Origin: 'https://ui.example.io' } })

    expect(answer.status).toBe(200)
    expect(answer.headers['content-type']).toBe('application/json')
    expect(answer.headers['access-control-allow-origin']).toBeUndefined()
    expect(answer.body).toMatch(
      new RegExp(`^{"uri":"ws://relay.invalid/session/123\\?code=${uuid.source}"}\n$`),
    )
  })

  test('gets another code each time', async () => {
    const token = mint(claimsFor('123'))

    const bodies = await Promise.all(
      [post('123', token), post('123', token)].map(async (answer) => (await answer).body),
    )

    expect(bodies[0]).not.toBe(bodies[1])
  })

  test('may stand behind "Bearer "', async () => {
    expect((await post('b', `Bearer ${mint(claimsFor('b'))}`)).status).toBe(200)
    expect((await post('b', `bearer ${mint(claimsFor('b'))}`)).status).toBe(200)
  })

  test('of several Authorization headers the first counts', async () => {
    const good = mint(claimsFor('two'))
    const request = (first: string, second: string): string =>
      `POST /session/two HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: ${first}\r\nAuthorization: ${second}\r\n\r\n`

    expect(await rawExchange(running.ports.access, request(good, 'junk'))).toMatch(/^HTTP\/1.1 200 /)
    expect(await rawExchange(running.ports.access, request('junk', good))).toMatch(/^HTTP\/1.1 401 /)
  })

  test.each([
    ['an audience that is a string', { aud: audience }],
    ['another audience beside ours', { aud: ['https://other', audience] }],
    ['no iat and no nbf', { iat: undefined, nbf: undefined }],
    ['times with fractions', { iat: nowSec - 1.5, exp: nowSec + 60.9 }],
    ['times in quotes', { exp: String(nowSec + 60) }],
    ['claims nobody knows', { foo: { a: 1 }, topicSalt: 'x', alertHost: true, iss: 'i', sub: 's', jti: 'j' }],
    ['an end in ten thousand years', { exp: 12_000_000_000_000 }],
  ])('may have %s', async (_what, more) => {
    expect((await post('ok', mint(claimsFor('ok', more)))).status).toBe(200)
  })

  test.each(['HS384', 'HS512'])('may be signed with %s', async (algorithm) => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const signed = `${part({ alg: algorithm })}.${part(claimsFor('alg'))}`
    const key = 'a-secret-that-is-long-enough-for-tests'
    const signature = createHmac(`sha${algorithm.slice(2)}`, key)
      .update(signed)
      .digest('base64url')

    expect((await post('alg', `${signed}.${signature}`)).status).toBe(200)
  })

  test.each([
    ['a%2Fb', 'a/b'],
    ['a&b%3C', 'a&b<'],
    ['%C3%A9', 'é'],
    ['%252F', '%2F'],
    ['a%20b+c', 'a b+c'],
  ])('for the path /session/%s serves the topic %s; its address is not escaped', async (segment, topic) => {
    const answer = await post('x', mint(claimsFor(topic)), { target: `/session/${segment}` })

    expect(answer.status).toBe(200)
    expect((JSON.parse(answer.body) as { uri: string }).uri).toContain(`/session/${topic}?code=`)
  })

  test.each([
    '//session/p',
    '/y/../session/p',
    '/session/p/',
    '/session/p?x=1',
    '/./session//p/',
    'http://any/session/p',
  ])('is served on the path %s too', async (target) => {
    expect((await post('p', mint(claimsFor('p')), { target })).status).toBe(200)
  })

  test.each([
    ['a JSON body', { body: '{}', headers: { 'Content-Type': 'application/json' } }],
    [
      'a body that is no JSON, which nobody reads',
      { body: '{{{', headers: { 'Content-Type': 'application/json; charset=x' } },
    ],
    ['an empty body of any type', { body: '', headers: { 'Content-Type': '///' } }],
    [
      'a JSON body and an Accept without JSON',
      { body: '{}', headers: { 'Content-Type': 'application/json', Accept: 'text/html' } },
    ],
  ])('is served with %s', async (_what, more) => {
    expect((await post('c', mint(claimsFor('c')), more as Partial<RawRequest>)).status).toBe(200)
  })

  test.each([
    ['application/json', 200],
    ['text/plain', 415],
  ])('with a chunked body of type %s: %i', async (contentType, status) => {
    const head = `POST /session/c HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: ${mint(claimsFor('c'))}`
    const body = `Content-Type: ${contentType}\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`

    const answer = await rawExchange(running.ports.access, `${head}\r\n${body}`)

    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  })
})

const invalid = '{"code":401,"message":"token invalid"}'
const missing = '"Token Missing Required Claims"\n'

describe('a token that is refused', () => {
  test.each([
    ['none', undefined, '{"code":401,"message":"unauthenticated for invalid credentials"}'],
    ['empty', '', '{"code":401,"message":"unauthenticated for invalid credentials"}'],
    ['only the word Bearer', 'Bearer ', '{"code":401,"message":"unauthenticated for invalid credentials"}'],
    ['one part', 'foo', invalid],
    ['three parts of garbage', 'a.b.c', invalid],
    ['four parts', 'a.b.c.d', invalid],
    ['another secret', mint(claimsFor('r'), 'another-secret'), invalid],
    ['expired', mint(claimsFor('r', { exp: nowSec - 1 })), invalid],
    ['not yet valid', mint(claimsFor('r', { nbf: nowSec + 60 })), invalid],
    ['issued in the future', mint(claimsFor('r', { iat: nowSec + 60 })), invalid],
    ['without an end', mint(claimsFor('r', { exp: undefined })), invalid],
    ['an end of null', mint(claimsFor('r', { exp: null })), invalid],
    ['scopes as a string', mint(claimsFor('r', { scopes: 'read' })), invalid],
    ['a booking that is no string', mint(claimsFor('r', { booking_id: 5 })), invalid],
    ['an audience that is no string', mint(claimsFor('r', { aud: 5 })), invalid],
    [
      'another audience',
      mint(claimsFor('r', { aud: [`${audience}/`, 'https://y'] })),
      `{"code":401,"message":"aud [${audience}/ https://y] does not match this host ${audience}"}`,
    ],
    [
      'no audience',
      mint(claimsFor('r', { aud: undefined })),
      `{"code":401,"message":"aud [] does not match this host ${audience}"}`,
    ],
    ['no topic', mint(claimsFor('r', { topic: undefined })), missing],
    ['no prefix', mint(claimsFor('r', { prefix: '' })), missing],
    ['no scopes', mint(claimsFor('r', { scopes: [] })), missing],
    ['scopes of null', mint(claimsFor('r', { scopes: null })), missing],
    ['another topic', mint(claimsFor('other')), '"Token Wrong Topic"\n'],
    [
      'another kind of connection',
      mint(claimsFor('r', { prefix: 'shell' })),
      '"Token Wrong Connection Type: this relay serves the prefix session"\n',
    ],
    [
      'a scope that opens nothing',
      mint(claimsFor('r', { scopes: ['host'] })),
      '"Token Without Read Or Write Scope: it could neither hear nor speak"\n',
    ],
  ])('%s: 401 with the words of the old server', async (_what, token, body) => {
    const answer = await post('r', token)

    expect(answer.status).toBe(401)
    expect(answer.headers['content-type']).toBe('application/json')
    expect(answer.body).toBe(body)
  })

  test('with an algorithm of its own choice is refused', async () => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const payload = part(claimsFor('r'))

    for (const header of [{ alg: 'none' }, { alg: 'RS256', typ: 'JWT' }, { alg: 'EdDSA', kid: 'x' }]) {
      expect((await post('r', `${part(header)}.${payload}.`)).status).toBe(401)
    }
  })
})

describe('a request that is refused', () => {
  const good = mint(claimsFor('q'))

  test.each([
    ['POST', '/x', 404, '{"code":404,"message":"path /x was not found"}', undefined],
    ['GET', '/', 404, '{"code":404,"message":"path / was not found"}', undefined],
    ['POST', '/session/', 404, '{"code":404,"message":"path /session/ was not found"}', undefined],
    ['POST', '/session/a/b', 404, '{"code":404,"message":"path /session/a/b was not found"}', undefined],
    ['GET', '/docs/x', 404, '{"code":404,"message":"path /docs/x was not found"}', undefined],
    ['GET', '/session/q', 405, '{"code":405,"message":"method GET is not allowed, but [POST] are"}', 'POST'],
    ['PUT', '/session/q', 405, '{"code":405,"message":"method PUT is not allowed, but [POST] are"}', 'POST'],
    [
      'OPTIONS',
      '/session/q',
      405,
      '{"code":405,"message":"method OPTIONS is not allowed, but [POST] are"}',
      'POST',
    ],
    ['HEAD', '/session/q', 405, '', 'POST'],
    [
      'PROPFIND',
      '/session/q',
      405,
      '{"code":405,"message":"method PROPFIND is not allowed, but [POST] are"}',
      'POST',
    ],
    [
      'DELETE',
      '/bids/deny',
      405,
      '{"code":405,"message":"method DELETE is not allowed, but [POST,GET] are"}',
      'POST,GET',
    ],
    ['POST', '/status', 405, '{"code":405,"message":"method POST is not allowed, but [GET] are"}', 'GET'],
  ])('%s %s: %i', async (method, target, status, body, allow) => {
    const answer = await rawHttp(running.ports.access, { method, target })

    expect(answer).toMatchObject({ status, body })
    expect(answer?.headers['allow']).toBe(allow)
    expect(answer?.headers['content-type']).toBe('application/json')
  })

  test.each([
    ['a broken escape', { target: '/session/%zz' }, 400, '400 Bad Request'],
    [
      'a content type that cannot be read',
      { body: 'x', headers: { 'Content-Type': '///' } },
      400,
      '{"code":400,"message":"parsing Content-Type header from \\"///\\" failed, because mime: no media type"}',
    ],
    [
      'a body of another type',
      { body: 'x', headers: { 'Content-Type': 'text/plain' } },
      415,
      '{"code":415,"message":"unsupported media type \\"text/plain\\", only [application/json] are allowed"}',
    ],
    [
      'a body of no type',
      { body: 'x' },
      415,
      '{"code":415,"message":"unsupported media type \\"application/octet-stream\\", only [application/json] are allowed"}',
    ],
    [
      'an Accept without JSON',
      { headers: { Accept: 'text/html' } },
      406,
      '{"code":406,"message":"unsupported media type requested, only [application/json] are available"}',
    ],
    [
      'a body that is too large',
      { body: 'x'.repeat(65_537), headers: { 'Content-Type': 'application/json' } },
      413,
      '{"code":413,"message":"the body is larger than 65536 bytes"}',
    ],
  ])('with %s', async (_what, more, status, body) => {
    expect(await post('q', good, more as Partial<RawRequest>)).toMatchObject({ status, body })
  })

  test('first for its token, then for its types', async () => {
    const answer = await post('q', 'junk', {
      body: 'x',
      headers: { 'Content-Type': 'text/plain', Accept: 'text/html' },
    })

    expect(answer.body).toBe(invalid)
  })

  test('that cannot be read at all gets 400 in words, and one with endless headers 431', async () => {
    expect(await rawExchange(running.ports.access, 'rubbish\r\n\r\n')).toMatch(
      /^HTTP\/1.1 400 Bad Request\r\n[\s\S]*\r\n\r\n400 Bad Request$/,
    )
    expect(
      await rawExchange(
        running.ports.access,
        `GET / HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(40_000)}\r\n\r\n`,
      ),
    ).toMatch(/^HTTP\/1.1 431 /)
  })

  test('for a name that a prototype has is not found', async () => {
    for (const target of ['/__proto__', '/constructor', '/toString']) {
      expect(await rawHttp(running.ports.access, { target })).toMatchObject({ status: 404 })
    }
  })
})

test('connections are kept alive between requests', async () => {
  const request = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'
  const last = 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'

  const text = await rawExchange(running.ports.access, request + request + last)

  expect(text.split('HTTP/1.1 200 OK')).toHaveLength(4)
})
