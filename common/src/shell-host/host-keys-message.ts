import type { DeviceKey } from './device-key.ts'

export interface HostKeysFacts {
  /** Shell id of this host. */
  readonly id: string
  readonly keys: readonly string[]
  /** Undefined: they go out unsigned. */
  readonly deviceKey: DeviceKey | undefined
  readonly nowMs: number
}

/**
 * What a host tells our relay on its manager, so that `shell config` can write a `known_hosts` (PROTOCOL.md). Signed, the
 * keys need no trust in the relay: whoever knows the public half of the device key can check them.
 */
export async function hostKeysMessage({ id, keys, deviceKey, nowMs }: HostKeysFacts): Promise<string> {
  const payload = { id, keys, iat: Math.floor(nowMs / 1000) }
  const signed = await deviceKey?.sign(new TextEncoder().encode(JSON.stringify(payload)))
  return JSON.stringify({ type: 'host-keys', keys, signed })
}
