/** What a host told of its ssh host keys, as `GET <access>/shell/<id>/host-keys` answers it. */
export interface HostKeys {
  readonly keys: readonly string[]
  /** Compact JWS of the device over the same keys; undefined where the host did not sign. */
  readonly signed: string | undefined
  /** When they were told last, RFC 3339. */
  readonly since: string
}

/** Largest message that a host of ours sends on its control link. */
export const maxManagerMessageBytes = 16_384
const maxKeys = 16

/** A line of a public key file: algorithm, base64, and perhaps a comment. */
const keyPattern = /^[a-z0-9@.-]{1,64} [A-Za-z0-9+/]{16,}={0,2}( [\x20-\x7e]{0,200})?$/
const signedPattern = /^[\w-]+\.[\w-]+\.[\w-]+$/

/**
 * Reads `{"type":"host-keys",…}` of PROTOCOL.md; undefined for everything else.
 * Pure; never throws.
 */
export function readHostKeys(message: Buffer, nowMs: number): HostKeys | undefined {
  if (message.length > maxManagerMessageBytes) return undefined
  const told = parseObject(message.toString('utf8'))
  if (told?.['type'] !== 'host-keys') return undefined
  const { keys, signed } = told
  if (!Array.isArray(keys) || keys.length > maxKeys) return undefined
  const lines = keys.filter((key): key is string => typeof key === 'string' && keyPattern.test(key))
  if (lines.length < keys.length) return undefined
  const isSigned = typeof signed === 'string' && signedPattern.test(signed)
  return { keys: lines, signed: isSigned ? signed : undefined, since: new Date(nowMs).toISOString() }
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
