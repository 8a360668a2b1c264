import type { Clock } from '@relay/common/clock'
import { describeError } from '@relay/common/errors'
import type { Environment } from '@relay/common/proxy'
import { parseToldHostKeys, verifyHostKeys } from '@relay/common/shell-host/verify-host-keys'
import { readKeyDirectory } from '@relay/common/token/key-directory'
import type { PublicKey } from '@relay/common/token/key-ring'
import { explainRefusal } from './client-fault.ts'
import { getText } from './get-text.ts'
import type { SessionTarget } from './session-target.ts'

/** The host keys of one experiment, and in words how far they can be trusted. */
export interface FetchedKeys {
  readonly id: string
  /** Empty where there are none, or none that may be taken. */
  readonly keys: readonly string[]
  /** A device that is known has signed them. */
  readonly isVouched: boolean
  /** There are keys, or there should be, which were not taken. */
  readonly isRefused: boolean
  readonly remark: string
}

const answerWithinMs = 10_000

/** @throws {ConfigError} `KEY_DIRECTORY_UNREADABLE`. */
export async function readDevices(directory: string): Promise<ReadonlyMap<string, PublicKey>> {
  return (await readKeyDirectory(directory)).publicKeys
}

/** Asks the relay for the host keys of an experiment; with `devices`, takes only what one of them signed. Never rejects. */
export async function fetchHostKeys(
  target: SessionTarget,
  devices: ReadonlyMap<string, PublicKey> | undefined,
  deps: { readonly environment: Environment; readonly signal: AbortSignal; readonly clock: Clock },
): Promise<FetchedKeys> {
  const { id, access, token, expiresAtMs } = target
  const none = { id, keys: [], isVouched: false }
  const refused = (error: unknown): FetchedKeys => {
    const known = explainRefusal(error, expiresAtMs, deps.clock.nowMs())
    return { ...none, isRefused: true, remark: `no host keys: ${describeError(known)}` }
  }
  try {
    const { environment, signal } = deps
    const answer = await getText(hostKeysAddress(access), {
      token,
      environment,
      signal,
      timeoutMs: answerWithinMs,
    })
    const told = answer.status === 200 ? parseToldHostKeys(answer.text) : undefined
    if (told === undefined || told.keys.length === 0) {
      const why =
        answer.status === 401 || answer.status === 403
          ? 'the relay refuses the token'
          : 'the host has published none, or the relay is an old one'
      return {
        ...none,
        isRefused: devices !== undefined,
        remark: `no host keys: ${why}; ssh will ask at the first login`,
      }
    }
    if (devices === undefined) {
      return {
        id,
        keys: told.keys,
        isVouched: false,
        isRefused: false,
        remark:
          'host keys taken from the relay, UNCHECKED: they are as good as the relay is; --device-keys checks them',
      }
    }
    if (told.signed === undefined)
      return { ...none, isRefused: true, remark: 'no host keys: the host has not signed them' }
    const { keys, device, signedAtSec } = await verifyHostKeys(id, told.signed, devices)
    return {
      id,
      keys,
      isVouched: true,
      isRefused: false,
      remark: `host keys checked: signed by the device ${device}${
        signedAtSec === undefined
          ? ''
          : ` at ${new Date(signedAtSec * 1000).toISOString().replace('.000Z', 'Z')}`
      }`,
    }
  } catch (error) {
    return refused(error)
  }
}

function hostKeysAddress(access: string): string {
  const url = new URL(access)
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/host-keys`
  return url.href
}
