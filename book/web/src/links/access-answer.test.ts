import fc from 'fast-check'
import { expect, test } from 'vitest'
import { judgeAccessAnswer, readRetryAfterMs } from './access-answer.ts'

test('the one-time address is taken as it stands', () => {
  const uri = 'wss://relay.example.io/base/session/a/b?code=2b1c'

  expect(judgeAccessAnswer(200, `${JSON.stringify({ uri })}\n`)).toEqual({ ok: true, uri })
})

// Bodies as in session spec 4.2 and 10.4.
test.for([
  [401, '{"code":401,"message":"unauthenticated for invalid credentials"}', 'refused'],
  [401, '"Token Wrong Topic"\n', 'refused'],
  [403, '', 'refused'],
  [500, '{"code":500,"message":"token invalid"}', 'refused'],
  [500, '{"code":500,"message":"aud [https://x] does not match this host https://y"}', 'refused'],
  [500, '{"code":500,"message":"token unprocessable"}', 'refused'],
  [
    400,
    '{"code":"400","message":"bookingID has been deny-listed, probably because the session was cancelled"}\n',
    'cancelled',
  ],
  [400, '{"code":"400","message":"empty bookingID field is not permitted"}\n', 'refused'],
  [404, '{"code":404,"message":"path /x was not found"}', 'not-found'],
  [429, '', 'busy'],
  [503, '<html>', 'busy'],
  [502, '<html>Bad Gateway</html>', 'relay-trouble'],
  [500, '', 'relay-trouble'],
  [200, '', 'nonsense'],
  [200, '{}', 'nonsense'],
  [200, 'null', 'nonsense'],
  [200, '{"uri":""}', 'nonsense'],
  [200, '{"uri":"https://relay.example.io/session/x"}', 'nonsense'],
  [200, '{"uri":"javascript:alert(1)"}', 'nonsense'],
  [302, '', 'relay-trouble'],
] as const)('status %i with body %s is %s', ([status, body, refusal]) => {
  expect(judgeAccessAnswer(status, body)).toEqual({ ok: false, refusal, status })
})

test('no answer makes it throw, and none but a websocket address is dialled', () => {
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 599 }), fc.oneof(fc.string(), fc.json()), (status, body) => {
      const answer = judgeAccessAnswer(status, body)
      return !answer.ok || /^wss?:/i.test(answer.uri)
    }),
  )
})

test('a pause asked for is read in seconds or as a date', () => {
  const nowMs = Date.parse('2026-01-01T00:00:00Z')

  expect(readRetryAfterMs('7', nowMs)).toBe(7000)
  expect(readRetryAfterMs('Thu, 01 Jan 2026 00:00:05 GMT', nowMs)).toBe(5000)
  expect(readRetryAfterMs('Thu, 01 Jan 2015 00:00:05 GMT', nowMs)).toBe(0)
  expect(readRetryAfterMs('soon', nowMs)).toBeUndefined()
  expect(readRetryAfterMs(null, nowMs)).toBeUndefined()
})
