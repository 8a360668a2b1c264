import type { HostKeys } from './host-keys.ts'
import type { Permission } from './permission.ts'
import type { Refusal } from './refusal.ts'

/** What the access API needs of the exchange. */
export interface ExchangeForAccess {
  /**
   * Whether a link with this permission would be taken now. `address` is the client's, before the proxies.
   * It reserves nothing: the websocket port asks again.
   */
  refusalOf(permission: Permission, address: string): Refusal | undefined
  /** What a host of this id told of its keys since the relay began. */
  hostKeysOf(id: string): HostKeys | undefined
  /** Whether a host is connected for this id. */
  isHostOnline(id: string): boolean
  /** Ends all links of a booking at once and says how many there were. Codes not used yet are the caller's. */
  closeBooking(bookingId: string): number
  /** Ends the links that a retired key let in, and says how many there were. */
  closeOfKeys(keyIds: ReadonlySet<string>): number
}
