import { describe, expect, test } from 'vitest'
import { decideToken022, decideToken093 } from './token-request.ts'

const nowMs = 1_700_000_000_500
const times = { iat: 1_699_999_999, nbf: 1_699_999_999 }

describe('session token', () => {
  const environment = {
    ACCESSTOKEN_LIFETIME: '60',
    ACCESSTOKEN_SECRET: 's',
    ACCESSTOKEN_TOPIC: 't',
    ACCESSTOKEN_AUDIENCE: 'https://a',
  }

  test('has the claims of v0.2.2', () => {
    expect(decideToken022(environment, nowMs)).toEqual({
      ok: true,
      request: {
        secret: 's',
        claims: {
          topic: 't',
          prefix: 'session',
          scopes: ['write', 'read'],
          aud: ['https://a'],
          exp: 1_700_000_059,
          ...times,
        },
      },
    })
  })

  test.each([
    ['LIFETIME', '', 'ACCESSTOKEN_LIFETIME not set'],
    ['LIFETIME', 'abc', 'ACCESSTOKEN_LIFETIME not set'],
    ['LIFETIME', '0', 'ACCESSTOKEN_LIFETIME not set'],
    ['SECRET', '', 'ACCESSTOKEN_SECRET not set'],
    ['TOPIC', '', 'ACCESSTOKEN_TOPIC not set'],
    ['AUDIENCE', '', 'ACCESSTOKEN_AUDIENCE not set'],
  ])('without a right %s (%j): %s', (name, value, line) => {
    const decision = decideToken022({ ...environment, [`ACCESSTOKEN_${name}`]: value }, nowMs)

    expect(decision).toEqual({ ok: false, lines: [line] })
  })

  test('names only the first thing that is missing', () => {
    expect(decideToken022({}, nowMs)).toEqual({ ok: false, lines: ['ACCESSTOKEN_LIFETIME not set'] })
  })

  test('may be in the past, and be for one direction', () => {
    const decision = decideToken022(
      {
        ...environment,
        ACCESSTOKEN_LIFETIME: '-5',
        ACCESSTOKEN_READ: 'false',
        ACCESSTOKEN_CONNECTIONTYPE: 'shell',
      },
      nowMs,
    )

    expect(decision).toMatchObject({
      request: { claims: { exp: times.iat - 5, scopes: ['write'], prefix: 'shell' } },
    })
  })

  test('without a direction there is no point', () => {
    const decision = decideToken022({ ...environment, ACCESSTOKEN_READ: 'F', ACCESSTOKEN_WRITE: 'no' }, nowMs)

    expect(decision).toEqual({
      ok: false,
      lines: ['Neither read nor write scope, or both: no point in connecting.'],
    })
  })
})

describe('relay token', () => {
  const environment = {
    RELAY_TOKEN_LIFETIME: '60',
    RELAY_TOKEN_SECRET: 's',
    RELAY_TOKEN_AUDIENCE: 'https://a',
  }

  test('names everything that is missing', () => {
    expect(decideToken093({}, nowMs)).toEqual({
      ok: false,
      lines: ['LIFETIME', 'SECRET', 'TOPIC', 'AUDIENCE'].map((name) => `RELAY_TOKEN_${name} not set`),
    })
  })

  test('needs no topic for an administrator', () => {
    const decision = decideToken093(
      { ...environment, RELAY_TOKEN_SCOPE_ADMIN: 'true', RELAY_TOKEN_SCOPE_OTHER: 'relay:stats' },
      nowMs,
    )

    expect(decision).toEqual({
      ok: true,
      request: {
        secret: 's',
        claims: {
          booking_id: 'relay-token-cli',
          topic: '',
          prefix: 'session',
          scopes: ['relay:admin', 'write', 'read', 'relay:stats'],
          aud: ['https://a'],
          exp: 1_700_000_059,
          ...times,
        },
      },
    })
  })

  test('carries the booking', () => {
    const decision = decideToken093(
      {
        ...environment,
        RELAY_TOKEN_TOPIC: 't',
        RELAY_TOKEN_BOOKING_ID: 'b',
        RELAY_TOKEN_SCOPE_WRITE: 'false',
      },
      nowMs,
    )

    expect(decision).toMatchObject({ request: { claims: { booking_id: 'b', topic: 't', scopes: ['read'] } } })
  })
})
