import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Claims, hasRequiredClaims, parseClaims } from './claims.ts'
import { TokenError } from './token-error.ts'

const nothing = {
  topic: '',
  prefix: '',
  scopes: [],
  audiences: [],
  bookingId: '',
  subject: '',
  expiresAtSec: undefined,
  notBeforeSec: undefined,
  issuedAtSec: undefined,
}

/** Spec session 3.1, row by row. */
describe('a claim', () => {
  test.each<readonly [string, Record<string, unknown>, Record<string, unknown>]>([
    ['topic', { topic: 'spin30-data' }, { topic: 'spin30-data' }],
    ['prefix', { prefix: 'session' }, { prefix: 'session' }],
    ['scopes', { scopes: ['read', 'write'] }, { scopes: ['read', 'write'] }],
    ['aud as a list', { aud: ['https://a', 'https://b'] }, { audiences: ['https://a', 'https://b'] }],
    ['aud as a text', { aud: 'https://a' }, { audiences: ['https://a'] }],
    ['aud as an empty text', { aud: '' }, {}],
    ['exp, nbf, iat', { exp: 30, nbf: 20, iat: 10 }, { expiresAtSec: 30, notBeforeSec: 20, issuedAtSec: 10 }],
    [
      'times with a fraction: cut off',
      { exp: 30.9, nbf: 20.5, iat: -10.5 },
      { expiresAtSec: 30, notBeforeSec: 20, issuedAtSec: -10 },
    ],
    [
      'quoted times',
      { exp: '30', nbf: '20.7', iat: '1e1' },
      { expiresAtSec: 30, notBeforeSec: 20, issuedAtSec: 10 },
    ],
    ['times that are null', { exp: null, nbf: null, iat: null }, {}],
    ['a time of -0.5', { exp: -0.5 }, { expiresAtSec: 0 }],
    ['a time far away', { exp: 12_000_000_000 }, { expiresAtSec: 12_000_000_000 }],
    ['sub', { sub: 'student-7' }, { subject: 'student-7' }],
    ['booking_id', { booking_id: 'b1' }, { bookingId: 'b1' }],
    ['bookingID of 0.3.0 to 0.4.4', { bookingID: 'b1' }, { bookingId: 'b1' }],
    ['both: the newer counts', { bookingID: 'old', booking_id: 'new' }, { bookingId: 'new' }],
    ['both, the newer empty', { bookingID: 'old', booking_id: '' }, { bookingId: 'old' }],
    ['booking_id in another letter case', { Booking_ID: 'b1' }, { bookingId: 'b1' }],
    ['bookingID in another letter case', { bookingid: 'b1' }, { bookingId: 'b1' }],
    [
      'names in another letter case',
      { Topic: 't', PREFIX: 'p', Scopes: ['read'], AUD: 'a', EXP: 1 },
      { topic: 't', prefix: 'p', scopes: ['read'], audiences: ['a'], expiresAtSec: 1 },
    ],
    ['a name twice: the exact spelling counts', { TOPIC: 'other', topic: 't' }, { topic: 't' }],
    [
      'null as absent',
      { topic: null, prefix: null, scopes: null, aud: null, sub: null, booking_id: null },
      {},
    ],
    ['topicSalt and alertHost', { topicSalt: 'x', alertHost: true }, {}],
    ['iss and jti', { iss: 'book', jti: '1' }, {}],
    ['unknown claims', { role: 5, __proto__x: {}, constructor: 'c', toString: [] }, {}],
  ])('%s', (_name, payload, expected) => {
    expect(parseClaims(payload)).toEqual({ ...nothing, ...expected })
  })

  test.each<readonly [string, Record<string, unknown>, string]>([
    ['topic', { topic: 5 }, 'the claim "topic" is not a string'],
    ['prefix', { prefix: ['session'] }, 'the claim "prefix" is not a string'],
    ['scopes as a text', { scopes: 'read' }, 'the claim "scopes" is not a list of strings'],
    ['scopes with a number', { scopes: ['read', 5] }, 'the claim "scopes" is not a list of strings'],
    ['scopes as an object', { scopes: { 0: 'read' } }, 'the claim "scopes" is not a list of strings'],
    ['aud as a number', { aud: 5 }, 'the claim "aud" is not a string or a list of strings'],
    ['aud with a number', { aud: ['a', 5] }, 'the claim "aud" is not a string or a list of strings'],
    ['exp as a word', { exp: 'tomorrow' }, 'the claim "exp" is not a number of seconds'],
    ['exp as an empty text', { exp: '' }, 'the claim "exp" is not a number of seconds'],
    ['exp with blanks', { exp: ' 5 ' }, 'the claim "exp" is not a number of seconds'],
    ['exp as hex', { exp: '0x10' }, 'the claim "exp" is not a number of seconds'],
    ['exp without end', { exp: '1e999' }, 'the claim "exp" is not a number of seconds'],
    ['nbf as true', { nbf: true }, 'the claim "nbf" is not a number of seconds'],
    ['iat as a list', { iat: [5] }, 'the claim "iat" is not a number of seconds'],
    ['topicSalt', { topicSalt: 5 }, 'the claim "topicSalt" is not a string'],
    ['alertHost', { alertHost: 'yes' }, 'the claim "alertHost" is not true or false'],
    ['sub', { sub: 5 }, 'the claim "sub" is not a string'],
    ['iss', { iss: {} }, 'the claim "iss" is not a string'],
    ['jti', { jti: 5 }, 'the claim "jti" is not a string'],
    ['booking_id', { booking_id: 5 }, 'the claim "booking_id" is not a string'],
    ['bookingID', { bookingID: [] }, 'the claim "bookingID" is not a string'],
  ])('of a wrong type refuses the token: %s', (_name, payload, sentence) => {
    expect(() => parseClaims(payload)).toThrow(new TokenError('malformed', sentence))
  })
})

test.each([null, undefined, 5, 'text', true, [], [{ topic: 'x' }]])('a payload %j is refused', (payload) => {
  expect(() => parseClaims(payload)).toThrow('the payload is not a JSON object')
})

test('any JSON gives claims of the right types, or a TokenError and nothing else', () => {
  const name = fc.constantFrom(
    'topic',
    'prefix',
    'scopes',
    'aud',
    'exp',
    'nbf',
    'iat',
    'sub',
    'booking_id',
    'bookingID',
    'topicSalt',
    'alertHost',
    'TOPIC',
    '__proto__',
    'constructor',
  )
  const likely = fc.oneof(
    fc.jsonValue(),
    fc.string(),
    fc.array(fc.string(), { maxLength: 3 }),
    fc.double(),
    fc.nat().map(String),
  )
  const payload = fc.oneof(fc.jsonValue(), fc.dictionary(name, likely))
  fc.assert(
    fc.property(payload, (value) => {
      expect(attempt(JSON.parse(JSON.stringify(value)))).toSatisfy(isRefusalOrWellFormed)
    }),
    { numRuns: 1000 },
  )
})

function attempt(payload: unknown): unknown {
  try {
    return parseClaims(payload)
  } catch (error) {
    return error
  }
}

function isRefusalOrWellFormed(outcome: unknown): boolean {
  if (outcome instanceof Error) return outcome instanceof TokenError
  const { topic, prefix, bookingId, subject, scopes, audiences, ...times } = outcome as Claims
  return (
    [topic, prefix, bookingId, subject, ...scopes, ...audiences].every((text) => typeof text === 'string') &&
    Object.values(times).every((time) => time === undefined || Number.isInteger(time))
  )
}

test('a number of seconds is the same quoted and bare, and loses only its fraction', () => {
  fc.assert(
    fc.property(fc.double({ min: -1e15, max: 1e15, noNaN: true }), (seconds) => {
      const bare = parseClaims({ exp: seconds }).expiresAtSec
      expect(bare).toBe(Math.trunc(seconds) + 0)
      expect(parseClaims({ exp: JSON.stringify(seconds) }).expiresAtSec).toBe(bare)
    }),
  )
})

test.each([
  [{ topic: 't', prefix: 'session', scopes: ['read'] }, true],
  [{ prefix: 'session', scopes: ['read'] }, false],
  [{ topic: '', prefix: 'session', scopes: ['read'] }, false],
  [{ topic: 't', scopes: ['read'] }, false],
  [{ topic: 't', prefix: 'session' }, false],
  [{ topic: 't', prefix: 'session', scopes: [] }, false],
  [{ topic: 't', prefix: 'session', scopes: null }, false],
])('whether %j has what a connection needs: %s', (payload, isComplete) => {
  expect(hasRequiredClaims(parseClaims(payload))).toBe(isComplete)
})
