/** Which of the two old programs a token and its paths belong to: v0.2.2 (`shell`) or its successor (`connect`). */
export type Prefix = 'shell' | 'connect'

interface CommonPermission {
  readonly prefix: Prefix
  /** The shell id, which is the token's topic. */
  readonly id: string
  /** What stands behind `/<prefix>/` on the websocket port: `<id>`, or `<id>/<connection id>`. */
  readonly path: string
  /** As the token says them. */
  readonly scopes: readonly string[]
  /** '' where the token names no booking. */
  readonly bookingId: string
  /** Public key that signed the token; undefined for a shared secret. */
  readonly keyId: string | undefined
  /** 32 hex digits that name the token and do not give it away. */
  readonly fingerprint: string
  readonly notBeforeSec: number | undefined
  readonly expiresAtSec: number
}

/** A host's long-lived control link. */
export interface ManagerPermission extends CommonPermission {
  readonly role: 'manager'
}

/** One tunnelled connection, at the client's side. */
export interface ClientPermission extends CommonPermission {
  readonly role: 'client'
  /** Fresh for each request of the access API (spec shell 1.2, step 4). */
  readonly connectionId: string
}

/** The same connection at the host's side: the exchange gives it, with the client's end and scopes. */
export interface HostPermission extends CommonPermission {
  readonly role: 'host'
  readonly connectionId: string
  /** Of the control link that was alerted. */
  readonly managerNumber: number
}

/** A reader of reports, on the reserved id `stats`. */
export interface StatsPermission extends CommonPermission {
  readonly role: 'stats'
}

/** What a one-time code stands for (spec shell 3): never leaves the relay. */
export type Permission = ManagerPermission | ClientPermission | HostPermission | StatsPermission

export type Role = Permission['role']

/** Whether a permission may be used at this moment: whole seconds, `exp` itself is over. Pure. */
export function isCurrent(permission: Permission, nowMs: number): boolean {
  const nowSec = Math.floor(nowMs / 1000)
  return (permission.notBeforeSec ?? nowSec) <= nowSec && nowMs < permission.expiresAtSec * 1000
}
