import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RawRequest, rawHttp } from '../../common/test/support/raw-http.ts'
import { adminToken, audience, claimsFor, mint, RunningShellRelay } from './support/running-shell-relay.ts'
import { WebsocketPeer } from './support/websocket-peer.ts'

const nowSec = Math.floor(Date.now() / 1000)
const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/.source

let running: RunningShellRelay
beforeAll(async () => {
  running = await RunningShellRelay.start({ settings: { ACCESS_REFUSED_REQUESTS: '100000' } })
})
afterAll(async () => {
  await running[Symbol.asyncDispose]()
})

/** The two generations: path, prefix, and how an error about a token reads. */
const generations = [
  { path: '/shell', prefix: 'shell', error: (old: string) => `${JSON.stringify(old)}\n` },
  {
    path: '/api/v1/connect',
    prefix: 'connect',
    error: (_old: string, text: string) => `${JSON.stringify({ code: '401', message: text })}\n`,
  },
] as const

async function post(path: string, token: string | undefined, more: Partial<RawRequest> = {}) {
  const answer = await rawHttp(running.ports.access, {
    method: 'POST',
    target: path,
    ...more,
    headers: { ...(token === undefined ? {} : { Authorization: token }), ...more.headers },
  })
  if (answer === undefined) throw new Error('closed without an answer')
  return answer
}

describe.each(generations)('on $path', ({ path, prefix, error }) => {
  const claims = (more: Readonly<Record<string, unknown>> = {}) => claimsFor('pend00', { prefix, ...more })
  const token = (more: Readonly<Record<string, unknown>> = {}): string => mint(claims(more))

  test('a host gets the address of its control link', async () => {
    const answer = await post(`${path}/pend00`, token())

    expect(answer.status).toBe(200)
    expect(answer.headers['content-type']).toBe('application/json')
    expect(answer.body).toMatch(
      new RegExp(`^{"uri":"ws://relay.invalid/${prefix}/pend00\\?code=${uuid}"}\n$`),
    )
  })

  test('a client gets another connection and another code each time', async () => {
    const form = new RegExp(`^{"uri":"ws://relay.invalid/${prefix}/pend00/(${uuid})\\?code=(${uuid})"}\n$`)
    const [first, second] = await Promise.all(
      [1, 2].map(async () => form.exec((await post(`${path}/pend00`, token({ scopes: ['client'] }))).body)),
    )

    expect([first?.length, second?.length]).toEqual([3, 3])
    expect(first?.[1]).not.toBe(second?.[1])
    expect(first?.[2]).not.toBe(second?.[2])
  })

  test.each([
    ['stats alone', ['stats']],
    ['stats beside host', ['stats', 'host']],
    ['stats beside client', ['client', 'stats']],
  ])('the reserved id is for tokens with the scope %s', async (_what, scopes) => {
    const answer = await post(`${path}/stats`, token({ topic: 'stats', scopes }))

    expect(answer.status).toBe(200)
    expect(answer.body).toContain(`/${prefix}/stats?code=`)
  })

  test.each([
    ['an audience that is a string', { aud: audience }],
    ['another audience beside ours', { aud: ['https://other', audience] }],
    ['fractions of a second', { exp: nowSec + 60.9 }],
    ['claims that are internal or unknown', { topicSalt: 'x', alertHost: true, colour: 'blue' }],
  ])('a token may have %s', async (_what, more) => {
    expect((await post(`${path}/pend00`, token(more))).status).toBe(200)
  })

  test.each([
    ['a query', `${path}/pend00?x=1`],
    ['a slash at the end', `${path}/pend00/`],
    ['an escape', `${path}/pend%30%30`],
  ])('%s changes nothing', async (_what, target) => {
    expect((await post(target, token())).status).toBe(200)
  })

  test.each([
    ['no topic', { topic: undefined }, 'Token Missing Required Claims', 'token missing required claims'],
    ['no scopes', { scopes: undefined }, 'Token Missing Required Claims', 'token missing required claims'],
    ['empty scopes', { scopes: [] }, 'Token Missing Required Claims', 'token missing required claims'],
    ['an empty prefix', { prefix: '' }, 'Token Missing Required Claims', 'token missing required claims'],
    ['no iat', { iat: undefined }, 'Token Missing Required Claims', 'token missing required claims'],
    ['no nbf', { nbf: undefined }, 'Token Missing Required Claims', 'token missing required claims'],
    [
      'another id',
      { topic: 'pend01', scopes: ['stats'] },
      'ShellID Does Not Match Token',
      'host_id does not match topic in token',
    ],
    [
      'the scope stats on another id',
      { scopes: ['stats', 'host', 'client'] },
      'Path Not Valid for Stats Scope',
      'path not valid for stats scope',
    ],
    [
      'neither role',
      { scopes: ['read', 'write'] },
      'Missing client, host or stats Scope',
      'missing client, host or stats scope',
    ],
    [
      'both roles',
      { scopes: ['host', 'client'] },
      'Can only have Client Or Host Scope, Not Both',
      'can only have client or host scope, not both',
    ],
  ])('%s: 401 in the words of the generation', async (_what, more, old, text) => {
    const answer = await post(`${path}/pend00`, token(more))

    expect(answer).toMatchObject({ status: 401, body: error(old, text) })
    expect(answer.headers['content-type']).toBe('application/json')
  })

  test('the reserved id without its scope', async () => {
    const answer = await post(`${path}/stats`, token({ topic: 'stats' }))

    expect(answer).toMatchObject({
      status: 401,
      body: error('Path Not Valid Without Stats Scope', 'path not valid without stats scope'),
    })
  })

  test.each(['a/b', 'a b', 'a?b', 'a#b', 'a%b', '..', 'é', 'x'.repeat(129)])(
    'the id %j, which would make another address, is refused',
    async (id) => {
      const answer = await post(`${path}/${encodeURIComponent(id)}`, token({ topic: id }))

      expect([401, 404]).toContain(answer.status)
      expect(answer.body).not.toContain('uri')
    },
  )

  test('a token of another kind gets an address that leads nowhere', async () => {
    const answer = await post(`${path}/pend00`, token({ prefix: 'video' }))
    const { uri } = JSON.parse(answer.body) as { uri: string }

    expect(uri).toMatch(new RegExp(`^ws://relay.invalid/video/pend00\\?code=${uuid}$`))
    await expect(WebsocketPeer.open(running.reachable(uri))).rejects.toThrow('refused with 404')
  })

  test.each([
    ['no token', undefined, 'unauthenticated for invalid credentials'],
    ['an empty one', '', 'unauthenticated for invalid credentials'],
    [
      'one behind Bearer',
      `Bearer ${mint(claimsFor('pend00'))}`,
      "error reading token was tokenstring should not contain 'bearer '",
    ],
    ['what is none', 'abc', 'error reading token was token is malformed'],
    [
      'one of another secret',
      mint(claimsFor('pend00'), 'another'),
      'error reading token was signature is invalid',
    ],
    [
      'one that is over',
      mint(claimsFor('pend00', { exp: nowSec - 5 })),
      'error reading token was token is expired',
    ],
    [
      'one that begins later',
      mint(claimsFor('pend00', { nbf: nowSec + 60 })),
      'error reading token was token is not valid yet',
    ],
    [
      'one without an end',
      mint(claimsFor('pend00', { exp: undefined })),
      'error reading token was token does not say when it expires',
    ],
    [
      'one for another host',
      mint(claimsFor('pend00', { aud: ['http://a.example', 'http://b.example'] })),
      `aud [http://a.example http://b.example] does not match this host ${audience}`,
    ],
  ])('%s: 401, where the old servers gave 500, in their words', async (_what, given, message) => {
    const answer = await post(`${path}/pend00`, given)

    expect(answer).toMatchObject({ status: 401, body: JSON.stringify({ code: 401, message }) })
  })

  test.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND'])('%s is not allowed', async (method) => {
    const answer = await rawHttp(running.ports.access, { method, target: `${path}/pend00` })

    expect(answer).toMatchObject({
      status: 405,
      headers: { allow: 'POST', 'content-type': 'application/json' },
      body:
        method === 'HEAD' ? '' : `{"code":405,"message":"method ${method} is not allowed, but [POST] are"}`,
    })
  })

  test.each([
    [
      'a body of another type',
      { body: 'hello', headers: { 'Content-Type': 'text/plain' } },
      415,
      '{"code":415,"message":"unsupported media type \\"text/plain\\", only [application/json] are allowed"}',
    ],
    [
      'an Accept without JSON',
      { headers: { Accept: 'text/html' } },
      406,
      '{"code":406,"message":"unsupported media type requested, only [application/json] are available"}',
    ],
  ])('%s is refused after the token was looked at', async (_what, more, status, body) => {
    expect(await post(`${path}/pend00`, token(), more as Partial<RawRequest>)).toMatchObject({ status, body })
    expect((await post(`${path}/pend00`, 'junk', more as Partial<RawRequest>)).status).toBe(401)
  })

  test('host keys are there once a host of ours has told them, for the tokens of its id alone', async () => {
    const id = `keys-${prefix}`
    const target = `${path}/${id}/host-keys`
    const host = mint(claimsFor(id, { prefix }))
    const client = mint(claimsFor(id, { prefix, scopes: ['client'] }))
    const none = await running.ask('GET', target, client)
    expect([none.status, await none.text()]).toEqual([
      404,
      '{"code":404,"message":"no host of this id has told its keys since the relay began"}',
    ])
    const { uri } = (await (await running.post(id, host, path)).json()) as { uri: string }
    const manager = await WebsocketPeer.open(running.reachable(uri), { isOurs: true })
    manager.sendText(JSON.stringify({ type: 'host-keys', keys: [`ssh-ed25519 ${'A'.repeat(68)}`] }))
    await expect.poll(async () => (await running.ask('GET', target, client)).status).toBe(200)

    const told = (await (await running.ask('GET', target, host)).json()) as Record<string, unknown>

    expect(told).toEqual({
      keys: [`ssh-ed25519 ${'A'.repeat(68)}`],
      since: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    })
    expect((await running.ask('GET', target, mint(claimsFor('other', { prefix })))).status).toBe(401)
    expect((await running.ask('GET', target, adminToken('relay:admin'))).status).toBe(401)
    expect((await running.ask('POST', target, host)).status).toBe(405)
    manager.cut()
  })
})

test.each(['/nothing', '/shell', '/shell/a/b', '/api/v1/connect/a/host-keys/x', '/api/v1/other/a'])(
  '%s is not found',
  async (target) => {
    expect(await post(target, mint(claimsFor('a')))).toMatchObject({
      status: 404,
      body: `{"code":404,"message":"path ${target} was not found"}`,
    })
  },
)

test('a code serves its own path and prefix, once', async () => {
  const address = await running.address('once')
  await expect(WebsocketPeer.open(address.replace('/once?', '/other?'))).rejects.toThrow('refused with 401')
  await expect(WebsocketPeer.open(address)).rejects.toThrow('refused with 401')

  const elsewhere = await running.address('once')
  await expect(WebsocketPeer.open(elsewhere.replace('/shell/', '/connect/'))).rejects.toThrow(
    'refused with 401',
  )

  const manager = await WebsocketPeer.open(await running.address('once'))
  manager.cut()
})

describe('bookings', () => {
  const admin = adminToken('relay:admin')
  const exp = nowSec + 600

  test('that are denied get no address, their codes are worthless and their links end', async () => {
    const claims = { booking_id: 'bk-1', scopes: ['client'] }
    const host = await WebsocketPeer.open(await running.address('bid', {}), { isOurs: true })
    const client = await WebsocketPeer.open(await running.address('bid', claims), { isOurs: true })
    const waiting = await running.address('bid', claims)

    const denied = await running.ask('POST', `/bids/deny?bid=bk-1&exp=${exp}`, admin)

    expect(denied.status).toBe(204)
    expect(await client.closed).toEqual({ code: 4002, reason: 'denied' })
    await expect(WebsocketPeer.open(waiting)).rejects.toThrow('refused with 401')
    const again = await running.post('bid', mint(claimsFor('bid', claims)))
    expect([again.status, await again.text()]).toEqual([401, '"Booking Was Cancelled"\n'])
    const keys = await running.ask('GET', '/shell/bid/host-keys', mint(claimsFor('bid', claims)))
    expect([keys.status, await keys.text()]).toEqual([401, '"Booking Was Cancelled"\n'])
    expect(host.isClosed).toBe(false)
    expect(await (await running.ask('GET', '/bids/deny', admin)).json()).toEqual({ booking_ids: ['bk-1'] })

    await running.ask('POST', `/bids/allow?bid=bk-1&exp=${exp}`, admin)

    expect((await running.post('bid', mint(claimsFor('bid', claims)))).status).toBe(200)
    host.cut()
  })

  test.each([
    ['GET', '/bids/deny'],
    ['GET', '/bids/allow'],
    ['POST', `/bids/deny?bid=x&exp=${exp}`],
    ['POST', `/bids/allow?bid=x&exp=${exp}`],
    ['GET', '/status'],
  ])('%s %s needs its scope', async (method, path) => {
    expect((await running.ask(method, path, mint(claimsFor('pend00')))).status).toBe(401)
  })
})

test('the status lists who is connected, for those who may see it', async () => {
  const manager = await WebsocketPeer.open(await running.address('seen'))

  const list = (await (await running.ask('GET', '/status', adminToken('relay:stats'))).json()) as object[]

  expect(list).toContainEqual(
    expect.objectContaining({ topic: 'seen', role: 'manager', scopes: ['host', 'read', 'write'] }),
  )
  expect(JSON.stringify(list)).not.toMatch(/"code"|eyJ/)
  manager.cut()
})

test('the document describes every route, and the old one is there too', async () => {
  const document = (await (await fetch(`${running.access}/openapi.json`)).json()) as { paths: object }
  expect(Object.keys(document.paths)).toEqual(
    expect.arrayContaining([
      '/shell/{id}',
      '/api/v1/connect/{id}',
      '/shell/{id}/host-keys',
      '/api/v1/connect/{id}/host-keys',
      '/bids/deny',
      '/bids/allow',
      '/status',
      '/healthz',
      '/readyz',
    ]),
  )

  const old = (await (await fetch(`${running.access}/swagger.json`)).json()) as { paths: object }
  expect(Object.keys(old.paths)).toEqual(['/shell/{id}', '/api/v1/connect/{id}'])
})

test('health is told without a token', async () => {
  expect(await (await fetch(`${running.access}/healthz`)).json()).toEqual({ status: 'ok' })
  expect(await (await fetch(`${running.access}/readyz`)).json()).toEqual({ status: 'ok' })
})
