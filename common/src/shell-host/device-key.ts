import { type CryptoKey, CompactSign, importJWK, type JWK } from 'jose'
import { AppError, errorCode } from '../errors.ts'
import { readStart } from '../read-start.ts'

/** The private key of this device. Its public half lies in the key directory of relays, under the same `kid`. */
export interface DeviceKey {
  readonly keyId: string
  /** A compact JWS (RFC 7515) over `payload`, with the `kid` of the key. */
  sign(payload: Uint8Array): Promise<string>
}

const maxFileBytes = 16_384
const maxKeyIdLength = 128

/**
 * Reads a private key as JWK (RFC 7517; Ed25519 or P-256) with a `kid`. Nothing of the file stands in an error.
 * @throws {AppError} `DEVICE_KEY_MISSING`, `DEVICE_KEY_UNREADABLE`, `DEVICE_KEY_WRONG`.
 */
export async function readDeviceKey(path: string): Promise<DeviceKey> {
  return await parseDeviceKey(await readText(path), path)
}

/**
 * The same for what stood in the file `path`.
 * @throws {AppError} `DEVICE_KEY_WRONG`.
 */
export async function parseDeviceKey(text: string, path: string): Promise<DeviceKey> {
  const jwk = parseJwk(text, path)
  const { kid, kty, crv, x, y, d } = jwk
  const wrong = (why: string): AppError => new AppError('DEVICE_KEY_WRONG', `the device key ${path} ${why}`)
  if (typeof kid !== 'string' || kid === '' || kid.length > maxKeyIdLength)
    throw wrong('has no "kid", by which relays know its public half')
  if (typeof d !== 'string') throw wrong('is no private key: it has no "d"')
  const algorithm = kty === 'OKP' && crv === 'Ed25519' ? 'EdDSA' : 'ES256'
  if (algorithm === 'ES256' && !(kty === 'EC' && crv === 'P-256'))
    throw wrong('is neither an Ed25519 nor a P-256 key')
  const members = { kty, crv, x, d, ...(algorithm === 'ES256' ? { y } : {}) } as JWK
  const key = await importPrivate(members, algorithm).catch(() => undefined)
  if (key === undefined) throw wrong('cannot be read as a key')
  return {
    keyId: kid,
    sign: (payload) => new CompactSign(payload).setProtectedHeader({ alg: algorithm, kid }).sign(key),
  }
}

async function importPrivate(jwk: JWK, algorithm: 'EdDSA' | 'ES256'): Promise<CryptoKey | undefined> {
  const key = await importJWK(jwk, algorithm)
  return key instanceof Uint8Array ? undefined : key
}

async function readText(path: string): Promise<string> {
  try {
    return (await readStart(path, maxFileBytes)).toString('utf8')
  } catch (cause) {
    throw errorCode(cause) === 'ENOENT'
      ? new AppError('DEVICE_KEY_MISSING', `the device key ${path} does not exist`)
      : new AppError('DEVICE_KEY_UNREADABLE', `the device key ${path} cannot be read`, { cause })
  }
}

/** Without the parser's message: it would quote the file. */
function parseJwk(text: string, path: string): JWK {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch {
    // As what is no object.
  }
  throw new AppError('DEVICE_KEY_WRONG', `the device key ${path} is no JSON object`)
}
