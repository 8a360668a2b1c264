import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RunningRelay } from './support/running-relay.ts'
import { adminToken, claimsFor, mint } from './support/tokens.ts'

const nowSec = Math.floor(Date.now() / 1000)

let running: RunningRelay
beforeAll(async () => {
  running = await RunningRelay.start()
})
afterAll(async () => {
  await running[Symbol.asyncDispose]()
})

describe('documents', () => {
  test('the OpenAPI document describes every route', async () => {
    const document = (await (await fetch(`${running.access}/openapi.json`)).json()) as {
      openapi: string
      paths: Record<string, object>
    }

    expect(document.openapi).toMatch(/^3\./)
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining([
        '/session/{session_id}',
        '/bids/deny',
        '/bids/allow',
        '/status',
        '/healthz',
        '/readyz',
      ]),
    )
  })

  test.each(['GET', 'POST', 'PUT', 'DELETE'])('%s finds the old document and page', async (method) => {
    const document = await fetch(`${running.access}/swagger.json`, { method })
    expect(await document.json()).toMatchObject({
      swagger: '2.0',
      info: { title: 'Crossbar', version: '0.3' },
    })

    const page = await fetch(`${running.access}/docs`, { method })
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(await page.text()).not.toMatch(/<script|https?:/)
  })
})

describe('the lists of bookings', () => {
  const fields = (bookingId: string) => ({ booking_id: bookingId })

  test('say who was let in, who is denied, and who is allowed again', async () => {
    const admin = await adminToken('relay:admin')
    const list = async (path: string): Promise<unknown> =>
      await (await running.ask('GET', path, admin)).json()
    await running.post('l', mint(claimsFor('l', fields('bk-l'))))
    await running.post('l', mint(claimsFor('l', fields(''))))
    expect(await list('/bids/allow')).toEqual({ booking_ids: ['bk-l'] })

    const denied = await running.ask('POST', `/bids/deny?bid=bk-l&exp=${nowSec + 600}`, admin)

    expect(denied.status).toBe(204)
    expect(await denied.text()).toBe('')
    expect(denied.headers.get('content-type')).toBeNull()
    expect(await list('/bids/deny')).toEqual({ booking_ids: ['bk-l'] })
    expect(await list('/bids/allow')).toEqual({ booking_ids: [] })
    const refused = await running.post('l', mint(claimsFor('l', fields('bk-l'))))
    expect(refused.status).toBe(400)
    expect(await refused.text()).toBe(
      '{"code":"400","message":"bookingID has been deny-listed, probably because the session was cancelled"}\n',
    )
    await running.ask('POST', `/bids/allow?bid=bk-l&exp=${nowSec + 600}`, admin)
    expect(await list('/bids/deny')).toEqual({ booking_ids: [] })
    expect((await running.post('l', mint(claimsFor('l', { bookingID: 'bk-l' })))).status).toBe(200)
  })

  test.each([
    ['GET', '/bids/allow', 'token missing relay:admin scope'],
    ['GET', '/bids/deny', 'token missing relay:admin scope'],
    ['POST', `/bids/allow?bid=x&exp=${nowSec + 60}`, 'token missing relay:admin scope'],
    [
      'POST',
      `/bids/deny?bid=x&exp=${nowSec + 60}`,
      'is token missing relay:admin scope? missing relay:admin Scope',
    ],
    ['GET', '/status', 'token missing relay:stats scope'],
  ])('%s %s needs its scope', async (method, path, message) => {
    const response = await running.ask(
      method,
      path,
      mint(claimsFor('l', { scopes: ['read', 'relay:other'] })),
    )

    expect(response.status).toBe(401)
    expect(await response.text()).toBe(`{"code":"401","message":"${message}"}\n`)
  })

  test.each([
    ['/bids/deny?exp=9999999999', 422, '{"code":602,"message":"bid in query is required"}'],
    ['/bids/allow?bid=x', 422, '{"code":602,"message":"exp in query is required"}'],
    [
      '/bids/deny?bid=x&exp=abc',
      422,
      '{"code":601,"message":"exp in query must be of type int64: \\"abc\\""}',
    ],
    [
      '/bids/deny?bid=x&exp=5',
      400,
      '{"code":"400","message":"booking expiry time (exp) of [5] missing or in the past"}\n',
    ],
    [
      '/bids/allow?bid=x&exp=5',
      400,
      '{"code":"400","message":"exp (booking expiry time) missing or in the past"}\n',
    ],
  ])('POST %s: %i', async (path, status, body) => {
    const response = await running.ask('POST', path, await adminToken('relay:admin'))

    expect(response.status).toBe(status)
    expect(await response.text()).toBe(body)
  })

  test('parameters are looked at before the scope', async () => {
    const response = await running.ask('POST', '/bids/deny', await adminToken('relay:stats'))

    expect(response.status).toBe(422)
  })
})

test('without leave, a token needs a booking', async () => {
  await using strict = await RunningRelay.start({ settings: { ALLOW_NO_BOOKING_ID: 'false' } })

  const response = await strict.post('t', mint(claimsFor('t')))

  expect(response.status).toBe(400)
  expect(await response.text()).toBe('{"code":"400","message":"empty bookingID field is not permitted"}\n')
  expect((await strict.post('t', mint(claimsFor('t', { booking_id: 'b' })))).status).toBe(200)
})

describe('CORS', () => {
  const preflight = {
    method: 'OPTIONS',
    headers: {
      origin: 'https://ui.example.io',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization',
    },
  }

  test('answers preflights and marks every answer, errors too, for the origins that are set', async () => {
    await using open = await RunningRelay.start({
      settings: { ACCESS_CORS_ORIGINS: 'https://ui.example.io' },
    })

    const allowed = await fetch(`${open.access}/session/x`, preflight)
    const refused = await open.post('x', 'junk', { headers: { origin: 'https://ui.example.io' } })
    const stranger = await open.post('x', 'junk', { headers: { origin: 'https://evil.example' } })

    expect(allowed.status).toBe(204)
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://ui.example.io')
    expect(allowed.headers.get('access-control-allow-headers')).toContain('Authorization')
    expect(refused.status).toBe(401)
    expect(refused.headers.get('access-control-allow-origin')).toBe('https://ui.example.io')
    expect(stranger.headers.get('access-control-allow-origin')).toBeNull()
  })

  test('can be open to all', async () => {
    await using open = await RunningRelay.start({ settings: { ACCESS_CORS_ORIGINS: '*' } })

    const response = await open.post('x', mint(claimsFor('x')), {
      headers: { origin: 'https://any.example' },
    })

    expect(response.headers.get('access-control-allow-origin')).toBe('*')
  })
})
