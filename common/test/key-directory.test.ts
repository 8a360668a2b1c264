import { mkdir, mkdtemp, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readKeyDirectory } from '../src/token/key-directory.ts'
import { signTokenWithKey } from '../src/token/sign-token.ts'
import { verifyToken } from '../src/token/verify-token.ts'

const policy = { topics: ['spin30-*'], scopes: ['write'], maxLifetimeSec: 3600 }
const pairs = {
  EdDSA: generateKeyPair('EdDSA', { extractable: true }),
  ES256: generateKeyPair('ES256', { extractable: true }),
}
let ed25519: JWK
let p256: JWK
let directory: string

beforeAll(async () => {
  ed25519 = await exportJWK((await pairs.EdDSA).publicKey)
  p256 = await exportJWK((await pairs.ES256).publicKey)
})
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'relay-keys-'))
})
afterEach(async () => {
  await rm(directory, { recursive: true })
})

const put = (name: string, content: unknown): Promise<void> =>
  writeFile(join(directory, name), typeof content === 'string' ? content : JSON.stringify(content))

describe('a folder of keys', () => {
  test('gives each key with its policy; what is no .jwk file is left alone', async () => {
    await put('spin30.jwk', {
      ...ed25519,
      kid: 'spin30',
      policy,
      alg: 'EdDSA',
      use: 'sig',
      comment: 'on the bench',
    })
    await put('spin31.jwk', { ...p256, kid: 'spin31', policy })
    await put('README.md', 'no key')
    await put('spin32.jwk~', 'an editor was here')
    const { publicKeys, problems } = await readKeyDirectory(directory)

    expect(problems).toEqual([])
    expect(
      [...publicKeys.values()].map(({ keyId, algorithm, policy: found }) => ({ keyId, algorithm, found })),
    ).toEqual([
      { keyId: 'spin30', algorithm: 'EdDSA', found: policy },
      { keyId: 'spin31', algorithm: 'ES256', found: policy },
    ])
  })

  test.each(['EdDSA', 'ES256'] as const)(
    'gives keys that verify what the device signs: %s',
    async (algorithm) => {
      await put('device.jwk', {
        ...(algorithm === 'EdDSA' ? ed25519 : p256),
        kid: 'device',
        policy,
        use: 'enc',
        key_ops: ['encrypt'],
      })
      const { publicKeys } = await readKeyDirectory(directory)
      const claims = {
        topic: 'spin30-video',
        prefix: 'session',
        scopes: ['write'],
        aud: ['a'],
        exp: 1060,
        nbf: 1000,
        iat: 1000,
      }
      const token = await signTokenWithKey(claims, (await pairs[algorithm]).privateKey, {
        algorithm,
        keyId: 'device',
      })

      const keys = { secrets: [], publicKeys }
      expect(await verifyToken(token, { keys, nowMs: 1_000_000, audience: 'a' })).toMatchObject({
        keyId: 'device',
      })
    },
  )

  test('that is empty has no keys', async () => {
    expect(await readKeyDirectory(directory)).toEqual({
      publicKeys: new Map(),
      problems: [],
      byFile: new Map(),
    })
  })

  test('forgets a key whose file was removed at the next read', async () => {
    await put('spin30.jwk', { ...ed25519, kid: 'spin30', policy })
    expect((await readKeyDirectory(directory)).publicKeys.size).toBe(1)

    await unlink(join(directory, 'spin30.jwk'))
    expect((await readKeyDirectory(directory)).publicKeys.size).toBe(0)
  })

  test('that does not exist is an error of the configuration', async () => {
    const missing = join(directory, 'none')
    await expect(readKeyDirectory(missing)).rejects.toMatchObject({
      code: 'KEY_DIRECTORY_UNREADABLE',
      message: `the folder of keys ${missing} cannot be read`,
    })
  })
})

describe('a wrong file is named with its fault, and the others count:', () => {
  const privatePart = 'c2VjcmV0LXByaXZhdGUta2V5LW9mLWEtZGV2aWNlLXg'
  test.each<readonly [string, () => unknown, string]>([
    ['no JSON', () => `{"d":"${privatePart}",`, 'it is not JSON'],
    ['empty', () => '', 'it is not JSON'],
    ['a list', () => [], 'it is not a JSON object'],
    ['no kid', () => ({ ...ed25519, policy }), '"kid": it is missing'],
    [
      'an empty kid',
      () => ({ ...ed25519, kid: '', policy }),
      '"kid": it is empty; it needs a text that is not empty',
    ],
    ['no policy', () => ({ ...ed25519, kid: 'x' }), '"policy": it is missing'],
    [
      'a policy without topics',
      () => ({ ...ed25519, kid: 'x', policy: { ...policy, topics: [] } }),
      '"policy.topics": it is empty; it needs a list that is not empty',
    ],
    [
      'a life that is no number',
      () => ({ ...ed25519, kid: 'x', policy: { ...policy, maxLifetimeSec: '1h' } }),
      '"policy.maxLifetimeSec": "1h" is not a whole number of at least 1',
    ],
    [
      'a private key',
      () => ({ ...ed25519, d: privatePart, kid: 'x', policy }),
      'it holds a private key; only the public part belongs here',
    ],
    [
      'a shared secret',
      () => ({ kty: 'oct', k: privatePart, kid: 'x', policy }),
      'it is neither an Ed25519 nor a P-256 key',
    ],
    [
      'an RSA key',
      () => ({ kty: 'RSA', n: 'AQAB', e: 'AQAB', kid: 'x', policy }),
      'it is neither an Ed25519 nor a P-256 key',
    ],
    [
      'another curve',
      () => ({ ...p256, crv: 'P-384', kid: 'x', policy }),
      'it is neither an Ed25519 nor a P-256 key',
    ],
    [
      'a key that is too short',
      () => ({ ...ed25519, x: 'AQAB', kid: 'x', policy }),
      'its key cannot be read',
    ],
    [
      'a point that is not on the curve',
      () => ({ ...p256, y: p256.x, kid: 'x', policy }),
      'its key cannot be read',
    ],
    [
      'a key without its second half',
      () => ({ ...p256, y: undefined, kid: 'x', policy }),
      'its key cannot be read',
    ],
    [
      'the id of another key',
      () => ({ ...p256, kid: 'good', policy }),
      'the key id "good" stands in another file too; this file is left out',
    ],
  ])('%s', async (_name, content, fault) => {
    await put('a.jwk', { ...ed25519, kid: 'good', policy })
    await put('b.jwk', content())
    const { publicKeys, problems } = await readKeyDirectory(directory)

    expect([...publicKeys.keys()]).toEqual(['good'])
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(`${join(directory, 'b.jwk')}: ${fault}`)
    expect(problems[0]).not.toContain(privatePart.slice(0, 8))
  })

  test('a folder or a dangling link with the name of a key', async () => {
    await mkdir(join(directory, 'folder.jwk'))
    await symlink(join(directory, 'nowhere'), join(directory, 'link.jwk'))
    const { publicKeys, problems } = await readKeyDirectory(directory)

    expect(publicKeys.size).toBe(0)
    expect(problems.map((problem) => problem.split(': ')[0])).toEqual([
      join(directory, 'folder.jwk'),
      join(directory, 'link.jwk'),
    ])
  })
})
