import { expect, test } from 'vitest'
import { tokenFlaw } from './check-token-file.ts'

const nowMs = 1_700_000_000_000

function tokenOf(claims: object): string {
  return `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`
}

test.each([
  [{ topic: 't', exp: 1_699_999_999 }, 'has expired'],
  [{ topic: 't', exp: 1_700_000_000 }, 'has expired'],
  [{ topic: 't', exp: 1_700_000_001 }, undefined],
  [{ topic: 't', nbf: 1_700_000_001 }, 'is not valid yet'],
  [{ topic: 't', nbf: 1_699_999_999 }, undefined],
  [{ topic: 'secret-topic' }, 'is for another topic than t'],
  [{}, undefined],
  [{ exp: 'never' }, undefined],
])('a token that says %j: %s', (claims, expected) => {
  expect(tokenFlaw(tokenOf(claims), 't', nowMs)).toBe(expected)
})

test.each(['opaque', 'a.b.c', 'e30.bm8.x', ''])(
  'of %j, which is of another form, nothing is said',
  (token) => {
    expect(tokenFlaw(token, 't', nowMs)).toBeUndefined()
  },
)
