import type { Clock } from '@relay/common/clock'
import { describeError } from '@relay/common/errors'
import type { Environment } from '@relay/common/proxy'
import { parseToldHostKeys, verifyHostKeys } from '@relay/common/shell-host/verify-host-keys'
import { readKeyDirectory } from '@relay/common/token/key-directory'
import type { PublicKey } from '@relay/common/token/key-ring'
import { explainRefusal } from './client-fault.ts'
import { getText } from './get-text.ts'
import { timeText } from './known-hosts-text.ts'
import type { SessionTarget } from './session-target.ts'

/** The host keys of one experiment, and in words how far they can be trusted. */
export interface FetchedKeys {
  readonly id: string
  /** Empty where there are none, or none that may be taken. */
  readonly keys: readonly string[]
  /** A device that is known has signed them, at this second of 1970, or 0 where it does not say. */
  readonly signedAtSec: number | undefined
  /** There are keys, or there should be, which were not taken. */
  readonly isRefused: boolean
  readonly remark: string
}

const answerWithinMs = 10_000
/** Clocks differ. */
const maxAheadMs = 600_000

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
  const none = { id, keys: [], signedAtSec: undefined }
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
        signedAtSec: undefined,
        isRefused: false,
        remark:
          'host keys taken from the relay, UNCHECKED: they are as good as the relay is; --device-keys checks them',
      }
    }
    if (told.signed === undefined)
      return { ...none, isRefused: true, remark: 'no host keys: the host has not signed them' }
    const { keys, device, signedAtSec = 0 } = await verifyHostKeys(id, told.signed, devices)
    const at = signedAtSec === 0 ? '' : ` at ${timeText(signedAtSec)}`
    // A time that is to come would keep every later signature out.
    if (signedAtSec * 1000 > deps.clock.nowMs() + maxAheadMs)
      return {
        ...none,
        isRefused: true,
        remark: `no host keys: they were signed${at}, which is still to come; set the clock of this computer, or of the host`,
      }
    return {
      id,
      keys,
      signedAtSec,
      isRefused: false,
      remark: `host keys checked: signed by the device ${device}${at}`,
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
