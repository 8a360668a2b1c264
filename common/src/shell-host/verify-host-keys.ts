import { compactVerify, decodeProtectedHeader } from 'jose'
import { AppError } from '../errors.ts'
import { matchesTopic } from '../token/key-policy.ts'
import type { PublicKey } from '../token/key-ring.ts'
import { parseHostKey } from './host-key.ts'

/** The host keys of one experiment, as a relay answers `GET …/<id>/host-keys` (shell/PROTOCOL.md). */
export interface ToldHostKeys {
  /** Type and key, without comment. */
  readonly keys: readonly string[]
  /** Compact JWS of the device over the same keys; undefined where it did not sign. */
  readonly signed: string | undefined
}

/** Keys that a device of ours has vouched for. */
export interface VouchedHostKeys {
  readonly keys: readonly string[]
  /** `kid` of the device. */
  readonly device: string
  /** Seconds of 1970; undefined where the signature does not say. */
  readonly signedAtSec: number | undefined
}

/** Reads such an answer; what is no public key of an ssh host is left out. Undefined for anything else. Pure. */
export function parseToldHostKeys(text: string): ToldHostKeys | undefined {
  try {
    const { keys, signed } = JSON.parse(text) as { readonly keys?: unknown; readonly signed?: unknown }
    const read = parseKeys(keys)
    return read === undefined
      ? undefined
      : { keys: read, signed: typeof signed === 'string' ? signed : undefined }
  } catch {
    return undefined
  }
}

function parseKeys(keys: unknown): readonly string[] | undefined {
  if (!Array.isArray(keys)) return undefined
  return keys
    .map((key: unknown) => (typeof key === 'string' ? parseHostKey(key) : undefined))
    .filter((key) => key !== undefined)
}

/**
 * The host keys that `signed` vouches for, checked with the public keys of devices (by `kid`).
 * @throws {AppError} `HOST_KEYS_UNVERIFIED` with the reason: unknown device, wrong signature, another experiment.
 */
export async function verifyHostKeys(
  id: string,
  signed: string,
  devices: ReadonlyMap<string, PublicKey>,
): Promise<VouchedHostKeys> {
  const refuse = (why: string): AppError =>
    new AppError('HOST_KEYS_UNVERIFIED', `the host keys of ${id} ${why}`)
  let kid: string | undefined
  try {
    ;({ kid } = decodeProtectedHeader(signed))
  } catch {
    throw refuse('bear a signature that cannot be read')
  }
  const device = kid === undefined ? undefined : devices.get(kid)
  if (device === undefined)
    throw refuse(`are signed by a device that is not known: ${(kid ?? '(without kid)').slice(0, 80)}`)
  // The device of one experiment must not vouch for the keys of another.
  if (!device.policy.topics.some((pattern) => matchesTopic(id, pattern)))
    throw refuse(`are signed by the device ${device.keyId}, whose policy does not allow this experiment`)
  let told: Readonly<Record<string, unknown>>
  try {
    const { payload } = await compactVerify(signed, device.key, { algorithms: [device.algorithm] })
    told = JSON.parse(new TextDecoder().decode(payload)) as Readonly<Record<string, unknown>>
  } catch {
    throw refuse(`are not signed by the device ${device.keyId}: the signature is wrong`)
  }
  if (told['id'] !== id) throw refuse('are signed for another experiment')
  const keys = parseKeys(told['keys'])
  if (keys === undefined) throw refuse('bear a signature over something else')
  return { keys, device: device.keyId, signedAtSec: secondsOf(told['iat']) }
}

/** Whole seconds of 1970 (RFC 7519 2); undefined for what is no time that a date can have. */
function secondsOf(iat: unknown): number | undefined {
  const isTime = typeof iat === 'number' && iat > 0 && iat <= 8_640_000_000_000
  return isTime ? Math.floor(iat) : undefined
}
