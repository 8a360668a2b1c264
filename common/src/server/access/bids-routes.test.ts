import { describe, expect, test } from 'vitest'
import { readChange } from './bids-routes.ts'

describe('the parameters of a change', () => {
  test.each([
    ['bid=a&exp=5', 'a', 5n],
    ['bid=a&bid=b&exp=5&exp=-6', 'b', -6n],
    ['exp=9223372036854775807&bid=%20', ' ', 9_223_372_036_854_775_807n],
    ['bid=a&exp=%2B5', 'a', 5n],
  ])('%s are read', (query, bookingId, untilSec) => {
    expect(readChange(query)).toEqual({ ok: true, bookingId, untilSec })
  })

  test.each([
    ['', '{"code":602,"message":"bid in query is required"}'],
    ['bid=&exp=5', '{"code":602,"message":"bid in query is required"}'],
    ['bid=a', '{"code":602,"message":"exp in query is required"}'],
    ['bid=a&exp=', '{"code":602,"message":"exp in query is required"}'],
    ['bid=a&exp=abc', '{"code":601,"message":"exp in query must be of type int64: \\"abc\\""}'],
    ['bid=a&exp=1.5', '{"code":601,"message":"exp in query must be of type int64: \\"1.5\\""}'],
    [
      'bid=a&exp=9223372036854775808',
      '{"code":601,"message":"exp in query must be of type int64: \\"9223372036854775808\\""}',
    ],
  ])('%j is refused as 422', (query, body) => {
    expect(readChange(query)).toMatchObject({ ok: false, answer: { status: 422, body } })
  })
})
