import { expect, test } from 'vitest'
import { explainAttempts, explainJwt } from './program-steps.ts'
import { mintToken } from './token-mint.ts'

test.for([
  [{ min: 2, max: 5 }, [0, 1_000], true],
  [{ min: 2 }, [0], false],
  [{ max: 1 }, [0, 5], false],
  [{ atMs: [0, 1_000], toleranceMs: 350 }, [0, 1_349], true],
  [{ atMs: [0, 1_000], toleranceMs: 350 }, [0, 1_351], false],
  [{ atMs: [0, 1_000], toleranceMs: 350 }, [0, 1_000, 1_100], false],
] as const)('%j with attempts at %j is judged %s', ([expected, atMs, isRight]) => {
  expect(explainAttempts(expected, atMs).length === 0).toBe(isRight)
})

const values = new Map([['secret', 's']])
const token = mintToken({ claims: { topic: 't', exp: 'now+60', iat: 'now' } }, values)
const expected = {
  secret: 's',
  lifetime: 60,
  header: { alg: 'HS256', typ: 'JWT' },
  claims: { topic: 't', exp: '{{number}}', iat: '{{number}}' },
}

test('a printed token is judged by header, claims, life and signature', () => {
  expect(explainJwt(expected, `${token}\n`, values)).toStrictEqual([])
  expect(explainJwt({ ...expected, secret: 'x' }, `${token}\n`, values)).toStrictEqual([
    'jwt: wrong signature',
  ])
  expect(explainJwt({ ...expected, lifetime: 61 }, `${token}\n`, values)).toStrictEqual([
    'jwt: lifetime is not 61 s',
  ])
  expect(explainJwt({ ...expected, claims: {} }, `${token}\n`, values)).toHaveLength(1)
  expect(explainJwt({ ...expected, header: {} }, `${token}\n`, values)).toHaveLength(1)
})

test('anything beside the token is wrong', () => {
  expect(explainJwt(expected, token, values)).toHaveLength(1)
  expect(explainJwt(expected, `Token:\n${token}\n`, values)).toHaveLength(1)
})
