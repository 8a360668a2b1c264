import { expect, test } from 'vitest'
import { mintToken, sign } from './token-mint.ts'

const values = new Map([
  ['secret', 'testsecret'],
  ['audience', 'https://access.example.io'],
])

function decode(token: string, part: number): unknown {
  return JSON.parse(Buffer.from(token.split('.')[part] ?? '', 'base64url').toString())
}

test('the signature is that of the published example', () => {
  const signed =
    'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ'

  expect(sign(signed, 'HS256', 'your-256-bit-secret')).toBe('SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c')
})

test.for([
  ['HS256', 43],
  ['HS384', 64],
  ['HS512', 86],
] as const)('a %s token is signed with the secret of the server', ([alg, signatureChars]) => {
  const token = mintToken({ alg, claims: { aud: ['{{audience}}'], iat: 'now-1', exp: 'now+60' } }, values)
  const [header = '', claims = '', signature = ''] = token.split('.')

  expect(decode(token, 0)).toStrictEqual({ alg, typ: 'JWT' })
  expect(decode(token, 1)).toMatchObject({ aud: ['https://access.example.io'] })
  expect(signature).toHaveLength(signatureChars)
  expect(signature).toBe(sign(`${header}.${claims}`, alg, 'testsecret'))
})

test('what a case wants wrong is wrong', () => {
  const claims = { topic: '1' }
  const right = mintToken({ claims }, values)

  expect(mintToken({ secret: 'another', claims }, values)).not.toBe(right)
  expect(mintToken({ alg: 'none', claims }, values)).toMatch(/^[\w-]+\.[\w-]+\.$/)
  expect(decode(mintToken({ header: { alg: 'RS256' }, claims }, values), 0)).toStrictEqual({ alg: 'RS256' })
  expect(mintToken({ literal: 'a.b.c', before: 'Bearer ' }, values)).toBe('Bearer a.b.c')
})

test('dates can be quoted, and null stays null', () => {
  const token = mintToken({ quoteTimes: true, claims: { exp: 'now+60', nbf: null, scopes: 'read' } }, values)

  expect(decode(token, 1)).toMatchObject({ nbf: null, scopes: 'read' })
  expect(JSON.stringify(decode(token, 1))).toMatch(/"exp":"\d{10}"/)
})
