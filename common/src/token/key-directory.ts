import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { importJWK, type JWK } from 'jose'
import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { describeError } from '../errors.ts'
import type { PublicKey } from './key-ring.ts'

const keyFileSchema = Type.Object({
  kid: Type.String({ minLength: 1 }),
  policy: Type.Object({
    topics: Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }),
    scopes: Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }),
    maxLifetimeSec: Type.Integer({ minimum: 1 }),
  }),
})
type KeyFile = Static<typeof keyFileSchema>

export interface KeyDirectory {
  readonly publicKeys: ReadonlyMap<string, PublicKey>
  /** One sentence for each file that was left out. The other keys are valid all the same. */
  readonly problems: readonly string[]
}

/**
 * Reads every `*.jwk` file of a folder: a public key as JWK (RFC 7517; Ed25519 or P-256) with a `kid` and a `policy`
 * member. A file that is wrong is reported and left out; removing a file retires its key at the next read.
 */
export async function readKeyDirectory(directory: string): Promise<KeyDirectory> {
  const publicKeys = new Map<string, PublicKey>()
  const problems: string[] = []
  const names = (await readdir(directory)).filter((name) => name.endsWith('.jwk')).sort()
  for (const name of names) {
    const path = join(directory, name)
    try {
      const publicKey = await readKeyFile(path)
      if (publicKeys.has(publicKey.keyId)) {
        problems.push(
          `${path}: the key id "${publicKey.keyId}" stands in another file too; this file is left out`,
        )
      } else {
        publicKeys.set(publicKey.keyId, publicKey)
      }
    } catch (error) {
      problems.push(`${path}: ${describeError(error)}`)
    }
  }
  return { publicKeys, problems }
}

async function readKeyFile(path: string): Promise<PublicKey> {
  const content: unknown = JSON.parse(await readFile(path, 'utf8'))
  if (!Value.Check(keyFileSchema, content)) {
    const [first] = Value.Errors(keyFileSchema, content)
    throw new Error(`${first?.instancePath ?? '/'} ${first?.message ?? 'is wrong'}`)
  }
  const file: KeyFile = content
  const jwk = content as JWK & KeyFile
  if (jwk.d !== undefined) throw new Error('it holds a private key; only the public part belongs here')
  const algorithm = algorithmOf(jwk)
  const key = await importJWK({ ...jwk, alg: algorithm }, algorithm)
  if (key instanceof Uint8Array) throw new Error('it is a shared secret, not a public key')
  return { keyId: file.kid, algorithm, key, policy: file.policy }
}

function algorithmOf(jwk: JWK): 'EdDSA' | 'ES256' {
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519') return 'EdDSA'
  if (jwk.kty === 'EC' && jwk.crv === 'P-256') return 'ES256'
  throw new Error('it is neither an Ed25519 nor a P-256 key')
}
