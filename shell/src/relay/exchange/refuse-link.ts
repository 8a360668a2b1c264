import type { ExchangeLimits } from './exchange-options.ts'
import type { HostDesk } from './host-desk.ts'
import type { PairRegistry } from './pair-registry.ts'
import type { Permission } from './permission.ts'
import type { Refusal } from './refusal.ts'

/** What the exchange holds at this moment, as far as limits count it. */
export interface Held {
  /** All websockets, those that are closing included. */
  readonly links: { readonly size: number }
  readonly hosts: HostDesk
  readonly readers: { readonly size: number }
  readonly pairs: PairRegistry
}

/**
 * Why a link with this permission would not be taken at this moment; undefined where it would. `addressKey` is whom
 * limits by address count together. Where hosts are too many it asks those that are there whether they live.
 */
export function refuseLink(
  permission: Permission,
  addressKey: string,
  { links, hosts, readers, pairs }: Held,
  limits: ExchangeLimits,
): Refusal | undefined {
  if (permission.role === 'host') {
    return pairs.get(permission.connectionId)?.awaitsHost === true ? undefined : 'client-gone'
  }
  const isClient = permission.role === 'client'
  const used = Math.max(links.size, hosts.size + readers.size + 2 * pairs.size)
  if (used + (isClient ? 2 : 1) > limits.maxConnections) return 'too-many-connections'
  const { id } = permission
  const managers = hosts.managersOf(id).length
  if (permission.role === 'manager' && managers >= limits.maxHostsPerId) {
    // Often they are ghosts of the one that asks: then there is room soon.
    hosts.probe(id)
    return 'too-many-hosts'
  }
  if (!isClient) return undefined
  if (pairs.countOfId(id) >= limits.maxSessionsPerId) return 'too-many-sessions'
  if (pairs.countOfAddress(addressKey) >= limits.maxSessionsPerAddress) return 'too-many-of-address'
  return managers === 0 && pairs.countWaiting(id) >= limits.maxWaitingPerId ? 'too-many-waiting' : undefined
}
