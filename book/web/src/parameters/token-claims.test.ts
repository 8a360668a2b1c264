import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readTokenClaims } from './token-claims.ts'

/** A token with these claims; the signature is of no interest to the page. */
function tokenWith(claims: unknown): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}.c2ln`
}

test('topic, scopes and end are read from a token as the booking server makes it', () => {
  // Booking spec 11.1, the stream token for demo-data.
  const token =
    'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b3BpYyI6ImRlbW8tZGF0YSIsInByZWZpeCI6InNlc3Npb24iLCJzY29wZXMiOlsicmVhZCIsIndyaXRlIl0sImF1ZCI6WyJodHRwczovL3JlbGF5LWFjY2Vzcy5leGFtcGxlLm9yZyJdLCJleHAiOjE3MDAwMDM2MDAsIm5iZiI6MTY5OTk5OTk5OSwiaWF0IjoxNjk5OTk5OTk5fQ.uImzrRjKVEEHIu-iobnXSHJfyleOagYPIJUA-9aIaOY'

  expect(readTokenClaims(token)).toEqual({
    topic: 'demo-data',
    scopes: ['read', 'write'],
    expiresAtMs: 1_700_003_600_000,
  })
})

test('an end given as text or with a fraction is read as the relay reads it', () => {
  expect(readTokenClaims(tokenWith({ exp: '1700003600' })).expiresAtMs).toBe(1_700_003_600_000)
  expect(readTokenClaims(tokenWith({ exp: 1_700_003_600.9 })).expiresAtMs).toBe(1_700_003_600_000)
})

test('names outside ASCII survive', () => {
  expect(readTokenClaims(tokenWith({ topic: 'größe-data' })).topic).toBe('größe-data')
})

test.for(['', 'foo', 'a.b', 'a.b.c', '..', `x.${Buffer.from('null').toString('base64url')}.y`])(
  'a token that cannot be read tells nothing and does no harm: %s',
  (token) => {
    expect(readTokenClaims(token)).toEqual({ topic: undefined, scopes: undefined, expiresAtMs: undefined })
  },
)

test('claims of wrong types are not taken', () => {
  const claims = readTokenClaims(tokenWith({ topic: 7, scopes: ['read', 1], exp: 'soon' }))

  expect(claims).toEqual({ topic: undefined, scopes: undefined, expiresAtMs: undefined })
})

test('no text whatsoever makes it throw', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.jsonValue().map(tokenWith)), (token) => {
      readTokenClaims(token)
    }),
  )
})
