import { createHmac } from 'node:crypto'
import { exportSPKI, generateKeyPair } from 'jose'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { describeError } from '../errors.ts'
import { type KeyRing, type PublicKey, secretsKeyRing } from './key-ring.ts'
import { signToken, signTokenWithKey, type TokenClaims } from './sign-token.ts'
import { TokenError, type TokenFault } from './token-error.ts'
import { verifyToken } from './verify-token.ts'

const audience = 'https://access.example.io'
const secret = 'testsecret'
const keys = secretsKeyRing(secret)
const nowSec = 1_700_000_000
const base = {
  topic: '123',
  prefix: 'session',
  scopes: ['read', 'write'],
  aud: [audience],
  iat: nowSec - 1,
  nbf: nowSec - 1,
  exp: nowSec + 60,
}

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

interface Forged {
  readonly header?: unknown
  readonly claims?: unknown
  readonly hash?: 'sha256' | 'sha384' | 'sha512'
  readonly secret?: string | Buffer
}

/** A token made by hand, so that it may be wrong in every way. */
function forge({
  header = { alg: 'HS256', typ: 'JWT' },
  claims = base,
  hash = 'sha256',
  secret: key = secret,
}: Forged = {}): string {
  const signed = `${encode(header)}.${encode(claims)}`
  return `${signed}.${createHmac(hash, key).update(signed).digest('base64url')}`
}

/** The fault, or `none`; anything thrown that is no TokenError comes out. */
async function faultOf(
  token: string,
  { ring = keys, nowMs = nowSec * 1000, host = audience } = {},
): Promise<TokenFault | 'none'> {
  try {
    await verifyToken(token, { keys: ring, nowMs, audience: host })
    return 'none'
  } catch (error) {
    if (!(error instanceof TokenError)) throw error
    expectSilent(error, token)
    return error.fault
  }
}

/** The message of an error and of all its causes says nothing of what stands in the token. */
function expectSilent(error: TokenError, token: string): void {
  const text = `${describeError(error)} ${JSON.stringify(error.details)}`
  for (const part of token.split('.')) {
    if (part.length < 8) continue
    expect(text).not.toContain(part)
    // A breach of policy names topic or scope: the signature fits, so they are what a device of ours says.
    if (error.fault === 'beyond-policy') continue
    const decoded = Buffer.from(part, 'base64url').toString()
    for (const word of decoded.match(/[\w-]{12,}/g) ?? []) expect(text).not.toContain(word)
  }
}

test('a good token gives its claims', async () => {
  const claims = await verifyToken(forge(), { keys, nowMs: nowSec * 1000, audience })

  expect(claims).toEqual({
    topic: '123',
    prefix: 'session',
    scopes: ['read', 'write'],
    audiences: [audience],
    bookingId: '',
    subject: '',
    expiresAtSec: nowSec + 60,
    notBeforeSec: nowSec - 1,
    issuedAtSec: nowSec - 1,
    keyId: undefined,
  })
})

test('what we sign ourselves verifies', async () => {
  expect(await faultOf(await signToken(base, new TextEncoder().encode(secret)))).toBe('none')
})

describe('the algorithm', () => {
  test.each<readonly [string, Forged, TokenFault | 'none']>([
    ['HS256', {}, 'none'],
    ['HS384', { header: { alg: 'HS384' }, hash: 'sha384' }, 'none'],
    ['HS512', { header: { alg: 'HS512', typ: 'JWT' }, hash: 'sha512' }, 'none'],
    ['HS256 without typ, with a kid that nobody knows', { header: { alg: 'HS256', kid: 'x' } }, 'none'],
    ['HS256 with typ of another kind', { header: { alg: 'HS256', typ: 'at+jwt' } }, 'none'],
    ['HS512 in the header, HS256 in truth', { header: { alg: 'HS512' } }, 'bad-signature'],
    ['HS256 in the header, HS512 in truth', { hash: 'sha512' }, 'bad-signature'],
    ['none', { header: { alg: 'none' } }, 'bad-algorithm'],
    ['None', { header: { alg: 'None' } }, 'bad-algorithm'],
    ['hs256', { header: { alg: 'hs256' } }, 'bad-algorithm'],
    ['RS256', { header: { alg: 'RS256' } }, 'bad-algorithm'],
    ['PS256', { header: { alg: 'PS256' } }, 'bad-algorithm'],
    ['ES384', { header: { alg: 'ES384', kid: 'x' } }, 'bad-algorithm'],
    ['no alg', { header: { typ: 'JWT' } }, 'bad-algorithm'],
    ['alg null', { header: { alg: null } }, 'bad-algorithm'],
    ['alg as a list', { header: { alg: ['HS256'] } }, 'bad-algorithm'],
    ['alg as a number', { header: { alg: 256 } }, 'bad-algorithm'],
    ['EdDSA without kid', { header: { alg: 'EdDSA' } }, 'unknown-key'],
    ['ES256 with a kid that is no text', { header: { alg: 'ES256', kid: { a: 1 } } }, 'unknown-key'],
    [
      'a critical header that nobody knows',
      { header: { alg: 'HS256', crit: ['secretextension'], secretextension: 1 } },
      'malformed',
    ],
  ])('%s: %s', async (_name, forged, fault) => {
    expect(await faultOf(forge(forged))).toBe(fault)
  })

  test('none with an empty signature is refused', async () => {
    expect(await faultOf(`${encode({ alg: 'none' })}.${encode(base)}.`)).toBe('bad-algorithm')
    expect(await faultOf(`${encode({ alg: 'HS256' })}.${encode(base)}.`)).toBe('bad-signature')
  })
})

describe('several secrets', () => {
  test.each<readonly [string, readonly string[], TokenFault | 'none']>([
    ['the first fits', [secret, 'other'], 'none'],
    ['the last fits', ['other', 'third', secret], 'none'],
    ['none fits', ['other', 'third'], 'bad-signature'],
    ['an empty one beside the right one', ['', secret], 'none'],
    ['there is none', [], 'bad-signature'],
    ['one that differs in its last letter', ['testsecreT', `${secret} `], 'bad-signature'],
  ])('%s', async (_name, secrets, fault) => {
    for (const forged of [forge(), forge({ header: { alg: 'HS512' }, hash: 'sha512' })]) {
      expect(await faultOf(forged, { ring: secretsKeyRing(...secrets) })).toBe(fault)
    }
  })

  test('an empty secret never verifies, not even what was signed with it', async () => {
    const forged = forge({ secret: '' })
    expect(await faultOf(forged, { ring: secretsKeyRing('') })).toBe('bad-signature')
    expect(await faultOf(forged, { ring: secretsKeyRing('', secret) })).toBe('bad-signature')
  })

  test('a secret is its bytes in UTF-8, and no base64', async () => {
    expect(await faultOf(forge({ secret: 'pässwörd✓' }), { ring: secretsKeyRing('pässwörd✓') })).toBe('none')
    const text = Buffer.from(secret).toString('base64')
    expect(await faultOf(forge(), { ring: secretsKeyRing(text) })).toBe('bad-signature')
  })
})

/** Spec session 3.2: no leeway, fractions cut off, "now" with its fraction. */
describe('times', () => {
  const nowMs = nowSec * 1000
  test.each<readonly [string, Record<string, unknown>, number, TokenFault | 'none']>([
    ['exp in the next second', { exp: nowSec + 1 }, nowMs, 'none'],
    ['a millisecond before exp', { exp: nowSec + 1 }, nowMs + 999, 'none'],
    ['exp is now', { exp: nowSec }, nowMs, 'expired'],
    ['exp was', { exp: nowSec - 1 }, nowMs, 'expired'],
    ['exp later in this second: cut off', { exp: nowSec + 0.9 }, nowMs + 100, 'expired'],
    ['exp just within the next second', { exp: nowSec + 1.9 }, nowMs + 999, 'none'],
    ['no exp', { exp: undefined }, nowMs, 'incomplete'],
    ['exp null', { exp: null }, nowMs, 'incomplete'],
    ['exp 0', { exp: 0 }, nowMs, 'expired'],
    ['exp in milliseconds by mistake', { exp: nowSec * 1000 }, nowMs, 'none'],
    ['exp quoted', { exp: String(nowSec + 60) }, nowMs, 'none'],
    ['nbf is now', { nbf: nowSec }, nowMs, 'none'],
    ['nbf later in this second: cut off', { nbf: nowSec + 0.9 }, nowMs + 100, 'none'],
    ['nbf in the next second', { nbf: nowSec + 1 }, nowMs + 999, 'not-yet-valid'],
    ['nbf in ten seconds', { nbf: nowSec + 10 }, nowMs, 'not-yet-valid'],
    ['no nbf', { nbf: undefined }, nowMs, 'none'],
    ['iat is now', { iat: nowSec }, nowMs, 'none'],
    ['iat later in this second: cut off', { iat: nowSec + 0.9 }, nowMs + 100, 'none'],
    ['iat in the next second', { iat: nowSec + 1 }, nowMs + 999, 'not-yet-valid'],
    ['no iat', { iat: undefined }, nowMs, 'none'],
    ['a wrong type', { exp: 'tomorrow' }, nowMs, 'malformed'],
  ])('%s', async (_name, change, atMs, fault) => {
    expect(await faultOf(forge({ claims: { ...base, ...change } }), { nowMs: atMs })).toBe(fault)
  })
})

describe('the audience', () => {
  test.each<readonly [string, unknown, TokenFault | 'none']>([
    ['a list with it', [audience], 'none'],
    ['a text that is it', audience, 'none'],
    ['a list with it and others', ['https://other.example.io', audience], 'none'],
    ['another', ['https://other.example.io'], 'wrong-audience'],
    ['a slash more', [`${audience}/`], 'wrong-audience'],
    ['the port written out', [`${audience}:443`], 'wrong-audience'],
    ['another letter case', ['https://Access.example.io'], 'wrong-audience'],
    ['a longer one', [`${audience}.evil.example`], 'wrong-audience'],
    ['none', undefined, 'wrong-audience'],
    ['null', null, 'wrong-audience'],
    ['an empty list', [], 'wrong-audience'],
    ['an empty text', '', 'wrong-audience'],
    ['a number', 5, 'malformed'],
  ])('%s', async (_name, aud, fault) => {
    expect(await faultOf(forge({ claims: { ...base, aud } }))).toBe(fault)
  })

  test('of a host without a name is never met by a token without audience', async () => {
    expect(await faultOf(forge({ claims: { ...base, aud: '' } }), { host: '' })).toBe('wrong-audience')
    expect(await faultOf(forge({ claims: { ...base, aud: undefined } }), { host: '' })).toBe('wrong-audience')
  })
})

describe('a malformed token', () => {
  const [header = '', payload = '', signature = ''] = forge().split('.')
  test.each<readonly [string, string]>([
    ['nothing', ''],
    ['one part', 'foo'],
    ['two parts', `${header}.${payload}`],
    ['four parts', `${forge()}.x`],
    ['five parts, as of an encrypted one', `${forge()}.x.y`],
    ['only dots', '..'],
    ['Bearer in front', `Bearer ${forge()}`],
    ['a blank behind', `${forge()} `],
    ['a line end behind', `${forge()}\n`],
    ['a line end within', `${header}.${payload}\n.${signature}`],
    ['padding at the header', `${header}=.${payload}.${signature}`],
    ['padding at the payload', `${header}.${payload}==.${signature}`],
    ['padding at the signature', `${header}.${payload}.${signature}=`],
    ['plain base64', `${header}.${payload}.${'+/'.repeat(21)}+`],
    ['a null byte', `${header}.${payload}.${signature}\0`],
    ['letters that are not ASCII', `${header}.${payload}.é${signature.slice(1)}`],
    ['a header that is no base64', `!!!.${payload}.${signature}`],
    ['a header that is no JSON', `${encode('superprivateheader{')}.${payload}.${signature}`],
    ['a header that is a list', `${encode([])}.${payload}.${signature}`],
    ['a header that is null', `${encode('null')}.${payload}.${signature}`],
    ['a payload that is no JSON', forge({ claims: 'superprivatepayload{"exp":' })],
    ['a payload that is a list', forge({ claims: [base] })],
    ['a payload that is null', forge({ claims: 'null' })],
    ['an empty payload', forge({ claims: '' })],
    ['scopes as a text', forge({ claims: { ...base, scopes: 'read' } })],
    ['too long', forge({ claims: { ...base, topic: 'x'.repeat(20_000) } })],
  ])('%s', async (_name, token) => {
    expect(await faultOf(token)).toBe('malformed')
  })

  test('in a payload that is not UTF-8', async () => {
    const signed = `${header}.${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}`
    const token = `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
    expect(await faultOf(token)).toBe('malformed')
  })

  test('in the spare bits of its signature: a token has one spelling', async () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const at = alphabet.indexOf(signature.at(-1) ?? '')
    for (const spare of [1, 2, 3]) {
      const other = `${header}.${payload}.${signature.slice(0, -1)}${alphabet[at ^ spare]}`
      expect(await faultOf(other)).toBe('malformed')
    }
  })

  test('of megabytes is refused unread', async () => {
    const token = 'a.'.repeat(5_000_000)
    const before = process.cpuUsage()
    const verified = verifyToken(token, { keys, nowMs: nowSec * 1000, audience })
    await expect(verified).rejects.toThrow('token refused: it is too long')
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(500)
  })
})

describe('a token signed with a device key', () => {
  const policy = { topics: ['spin30-*'], scopes: ['read', 'write'], maxLifetimeSec: 3600 }
  const algorithms = ['EdDSA', 'ES256'] as const
  const claims: TokenClaims = { ...base, topic: 'spin30-video', exp: nowSec + 600 }
  let pairs: Readonly<Record<(typeof algorithms)[number], Awaited<ReturnType<typeof generateKeyPair>>>>
  let ring: KeyRing

  beforeAll(async () => {
    const [EdDSA, ES256] = await Promise.all(
      algorithms.map((name) => generateKeyPair(name, { extractable: true })),
    )
    if (EdDSA === undefined || ES256 === undefined) throw new Error('no keys')
    pairs = { EdDSA, ES256 }
    const publicKeys = new Map<string, PublicKey>(
      algorithms.map((algorithm) => [
        algorithm,
        { keyId: algorithm, algorithm, key: pairs[algorithm].publicKey, policy },
      ]),
    )
    ring = { secrets: [new TextEncoder().encode(secret)], publicKeys }
  })

  const sign = (
    change: Partial<TokenClaims> & Record<string, unknown>,
    algorithm: (typeof algorithms)[number],
    keyId: string = algorithm,
  ): Promise<string> =>
    signTokenWithKey({ ...claims, ...change }, pairs[algorithm].privateKey, { algorithm, keyId })

  describe.each(algorithms)('%s', (algorithm) => {
    test.each<readonly [string, Record<string, unknown>, TokenFault | 'none']>([
      ['within its policy', {}, 'none'],
      ['for another topic', { topic: 'spin31-video' }, 'beyond-policy'],
      ['with a scope too many', { scopes: ['read', 'relay:admin'] }, 'beyond-policy'],
      ['for an hour', { exp: nowSec - 1 + 3600 }, 'none'],
      ['for longer than it may', { exp: nowSec + 3600 }, 'beyond-policy'],
      ['that is over', { exp: nowSec }, 'expired'],
      ['for another host', { aud: ['https://other.example.io'] }, 'wrong-audience'],
    ])('%s: %s', async (_name, change, fault) => {
      expect(await faultOf(await sign(change, algorithm), { ring })).toBe(fault)
    })

    test('says by which key it was signed', async () => {
      const verified = await verifyToken(await sign({}, algorithm), {
        keys: ring,
        nowMs: nowSec * 1000,
        audience,
      })
      expect(verified.keyId).toBe(algorithm)
    })

    test('under an unknown key id is refused', async () => {
      expect(await faultOf(await sign({}, algorithm, 'nobody'), { ring })).toBe('unknown-key')
      expect(await faultOf(await sign({}, algorithm, '__proto__'), { ring })).toBe('unknown-key')
    })

    test('under the id of another key is refused', async () => {
      const other = algorithms.find((name) => name !== algorithm)
      expect(await faultOf(await sign({}, algorithm, other), { ring })).toBe('bad-algorithm')
      const stranger = await generateKeyPair(algorithm)
      const token = await signTokenWithKey(claims, stranger.privateKey, { algorithm, keyId: algorithm })
      expect(await faultOf(token, { ring })).toBe('bad-signature')
    })

    test('is refused as soon as its key is no longer known', async () => {
      expect(await faultOf(await sign({}, algorithm), { ring: { ...ring, publicKeys: new Map() } })).toBe(
        'unknown-key',
      )
    })

    test('with its signature changed in one place is refused', async () => {
      const token = await sign({}, algorithm)
      const at = token.lastIndexOf('.') + 5
      const changed = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`
      expect(await faultOf(changed, { ring })).toBe('bad-signature')
    })

    test('cannot be made with the public key as a shared secret', async () => {
      const { publicKey } = pairs[algorithm]
      const spki = await exportSPKI(publicKey)
      const raw = Buffer.from(await crypto.subtle.exportKey('raw', publicKey))
      for (const key of [spki, raw, spki.replaceAll(/-----.*-----|\n/g, '')]) {
        for (const [alg, hash] of [
          ['HS256', 'sha256'],
          ['HS384', 'sha384'],
          ['HS512', 'sha512'],
        ] as const) {
          const forged = forge({ header: { alg, kid: algorithm }, claims, hash, secret: key })
          expect(await faultOf(forged, { ring })).toBe('bad-signature')
        }
        expect(
          await faultOf(forge({ header: { alg: algorithm, kid: algorithm }, claims, secret: key }), { ring }),
        ).toBe('bad-signature')
      }
    })
  })

  test('the policy of a key binds no token that a secret signed', async () => {
    expect(
      await faultOf(
        forge({ header: { alg: 'HS256', kid: 'EdDSA' }, claims: { ...base, topic: 'anything' } }),
        { ring },
      ),
    ).toBe('none')
  })
})

describe('fuzz', { timeout: 60_000 }, () => {
  test('a token that is changed in any character never verifies, and only ever gives a TokenError', async () => {
    const token = forge()
    const character = fc.oneof(
      fc.constantFrom(...'ABCxyz019-_.=+/ \n"'.split('')),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    )
    const change = fc.record({
      at: fc.nat(token.length - 1),
      kind: fc.constantFrom('replace', 'insert', 'delete', 'swap'),
      character,
    })
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        let mutated = token
        for (const { at, kind, character: put } of changes) {
          const [before, after] = [mutated.slice(0, at), mutated.slice(at)]
          if (kind === 'replace') mutated = before + put + after.slice(1)
          else if (kind === 'insert') mutated = before + put + after
          else if (kind === 'delete') mutated = before + after.slice(1)
          else mutated = before + (after[1] ?? '') + (after[0] ?? '') + after.slice(2)
        }
        fc.pre(mutated !== token)
        expect(await faultOf(mutated)).not.toBe('none')
      }),
      { numRuns: 400 },
    )
  })

  test('any text is answered by a TokenError', async () => {
    const part = fc.oneof(fc.base64String(), fc.string(), fc.json().map(encode))
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.tuple(part, part, part).map((parts) => parts.join('.')),
    )
    await fc.assert(
      fc.asyncProperty(text, async (token) => {
        expect(await faultOf(token)).not.toBe('none')
      }),
      { numRuns: 300 },
    )
  })

  test('any JSON that is signed gives claims or a TokenError', async () => {
    const member = fc.constantFrom('topic', 'prefix', 'scopes', 'aud', 'exp', 'nbf', 'iat', 'booking_id')
    await fc.assert(
      fc.asyncProperty(fc.dictionary(member, fc.jsonValue()), fc.jsonValue(), async (change, header) => {
        await faultOf(forge({ claims: { ...base, ...change } }))
        await faultOf(forge({ header }))
      }),
      { numRuns: 150 },
    )
  })
})
