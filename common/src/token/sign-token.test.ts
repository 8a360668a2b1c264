import { createHmac } from 'node:crypto'
import { generateKeyPair } from 'jose'
import { describe, expect, test } from 'vitest'
import { signToken, signTokenWithKey, type TokenClaims } from './sign-token.ts'

const secret = new TextEncoder().encode('testsecret')
const full = {
  iat: 1,
  nbf: 2,
  exp: 3,
  sub: 'student-7',
  aud: ['https://access.example.io'],
  scopes: ['write', 'read'],
  prefix: 'session',
  topic: '123',
  booking_id: 'b1',
} satisfies TokenClaims

const decode = (part: string | undefined): string => Buffer.from(part ?? '', 'base64url').toString()

describe('a token signed with a secret', () => {
  test('has the header of the old programs, byte for byte', async () => {
    const [header] = (await signToken(full, secret)).split('.')

    expect(header).toBe('eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9')
    expect(decode(header)).toBe('{"alg":"HS256","typ":"JWT"}')
  })

  test('has its claims in the order of the old programs, however they were written down', async () => {
    const [, payload] = (await signToken(full, secret)).split('.')

    expect(decode(payload)).toBe(
      '{"booking_id":"b1","topic":"123","prefix":"session","scopes":["write","read"],' +
        '"aud":["https://access.example.io"],"sub":"student-7","exp":3,"nbf":2,"iat":1}',
    )
  })

  test('leaves absent claims out', async () => {
    const [, payload] = (
      await signToken({ scopes: ['relay:admin'], aud: ['a'], exp: 3, nbf: 2, iat: 1 }, secret)
    ).split('.')

    expect(decode(payload)).toBe('{"scopes":["relay:admin"],"aud":["a"],"exp":3,"nbf":2,"iat":1}')
  })

  test('has the HMAC of the first two parts, without padding', async () => {
    const [header, payload, signature] = (await signToken(full, secret)).split('.')

    expect(signature).toBe(createHmac('sha256', secret).update(`${header}.${payload}`).digest('base64url'))
  })

  test('cannot be had for an empty secret', async () => {
    await expect(signToken(full, new Uint8Array())).rejects.toMatchObject({ code: 'SECRET_EMPTY' })
  })
})

test.each(['EdDSA', 'ES256'] as const)(
  'a token signed with a key names the key and its algorithm: %s',
  async (algorithm) => {
    const { privateKey } = await generateKeyPair(algorithm)
    const [header, payload] = (
      await signTokenWithKey(full, privateKey, { algorithm, keyId: 'spin30' })
    ).split('.')

    expect(decode(header)).toBe(`{"alg":"${algorithm}","kid":"spin30","typ":"JWT"}`)
    expect(JSON.parse(decode(payload))).toEqual(full)
  },
)
