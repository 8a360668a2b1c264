import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { importJWK, type JWK } from 'jose'
import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { ConfigError, describeError } from '../errors.ts'
import { describeProblems } from '../config/problems.ts'
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
  /** One sentence for each file that is wrong. The other keys are valid all the same. */
  readonly problems: readonly string[]
  /** The key of each file, by its name; of a wrong one the last that was read. */
  readonly byFile: ReadonlyMap<string, PublicKey>
}

/**
 * Reads every `*.jwk` file of a folder: a public key as JWK (RFC 7517; Ed25519 or P-256) with a `kid` and a `policy`
 * member. A file that is wrong is reported; its key is that of `before`, the reading before this one, so that a file
 * that is just being written retires nobody. Removing a file retires its key.
 * @throws {ConfigError} `KEY_DIRECTORY_UNREADABLE`.
 */
export async function readKeyDirectory(
  directory: string,
  before: KeyDirectory['byFile'] = new Map(),
): Promise<KeyDirectory> {
  const byFile = new Map<string, PublicKey>()
  const publicKeys = new Map<string, PublicKey>()
  const problems: string[] = []
  const names = await keyFileNames(directory)
  for (const name of names) {
    const path = join(directory, name)
    const publicKey = await readKeyFile(path).catch((error: unknown) => {
      problems.push(`${path}: ${describeError(error)}`)
      return before.get(name)
    })
    if (publicKey === undefined) continue
    if (publicKeys.has(publicKey.keyId)) {
      problems.push(
        `${path}: the key id "${publicKey.keyId}" stands in another file too; this file is left out`,
      )
      continue
    }
    publicKeys.set(publicKey.keyId, publicKey)
    byFile.set(name, publicKey)
  }
  return { publicKeys, problems, byFile }
}

async function keyFileNames(directory: string): Promise<readonly string[]> {
  try {
    return (await readdir(directory)).filter((name) => name.endsWith('.jwk')).sort()
  } catch (cause) {
    throw new ConfigError('KEY_DIRECTORY_UNREADABLE', `the folder of keys ${directory} cannot be read`, {
      cause,
    })
  }
}

async function readKeyFile(path: string): Promise<PublicKey> {
  const content = parseKeyFile(await readFile(path, 'utf8'))
  if (!Value.Check(keyFileSchema, content)) throw new Error(firstProblem(content))
  const { kid, policy }: KeyFile = content
  const jwk = content as JWK & KeyFile
  if (jwk.d !== undefined) throw new Error('it holds a private key; only the public part belongs here')
  const algorithm = algorithmOf(jwk)
  const { crv, x, y } = jwk
  const { topics, scopes, maxLifetimeSec } = policy
  const fingerprint = JSON.stringify([crv, x, y, topics, scopes, maxLifetimeSec])
  return { keyId: kid, algorithm, key: await importPublicKey(jwk, algorithm), policy, fingerprint }
}

function firstProblem(content: unknown): string {
  const [problem] = describeProblems(Value.Errors(keyFileSchema, content), {
    root: keyFileSchema,
    value: content,
    originOf: (pointer) => pointer.slice(1).replaceAll('/', '.'),
    settingOf: () => undefined,
  })
  if (problem === undefined || problem.where === '') return 'it is not a JSON object'
  return `"${problem.where}": ${problem.what}`
}

/** Without the parser's message: it would quote the file, and somebody may have put a private key there. */
function parseKeyFile(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error('it is not JSON')
  }
}

function algorithmOf(jwk: JWK): 'EdDSA' | 'ES256' {
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519') return 'EdDSA'
  if (jwk.kty === 'EC' && jwk.crv === 'P-256') return 'ES256'
  throw new Error('it is neither an Ed25519 nor a P-256 key')
}

/** Of the members only those that are the key: what else the file says (`use`, `key_ops`) changes nothing. */
async function importPublicKey(
  { kty, crv, x, y }: JWK,
  algorithm: 'EdDSA' | 'ES256',
): Promise<PublicKey['key']> {
  try {
    const coordinates = algorithm === 'ES256' ? { x, y } : { x }
    const key = await importJWK({ kty, crv, ...coordinates } as JWK, algorithm)
    if (!(key instanceof Uint8Array)) return key
  } catch (cause) {
    throw new Error('its key cannot be read', { cause })
  }
  throw new Error('it is a shared secret, not a public key')
}
