import type { Fault } from '../fault.ts'

/** One connection of a person to sshd. */
export interface HostSessionStatus {
  /** Shortened: who knows the whole could not resume it, but it is nobody's business. */
  readonly id: string
  /** `plain`: with an old client or relay, so that it ends with its link. */
  readonly kind: 'tunnel' | 'plain'
  /** `parked`: its link is lost, and it may come back. */
  readonly state: 'opening' | 'live' | 'parked' | 'ending'
  /** Wall clock. */
  readonly sinceMs: number
  /** Into sshd. */
  readonly receivedBytes: number
  /** From sshd. */
  readonly sentBytes: number
  /** How often it went on over another link. */
  readonly resumes: number
}

/** How a shell host stands at one moment. Holds no secret. */
export interface ShellHostStatus {
  /** The shell id. */
  readonly name: string
  /** Session address without query. */
  readonly destination: string
  /** `standby`: connected, but a newer host has taken the id. `gave-up`: it cannot work as it is configured. */
  readonly state: 'starting' | 'connecting' | 'live' | 'standby' | 'waiting' | 'gave-up' | 'stopped'
  /** The relay speaks our protocol, so that sessions survive a broken link; undefined while there is none. */
  readonly relay: 'ours' | 'old' | undefined
  /** Where sshd is looked for: `localhost:22`. */
  readonly sshd: string
  /** How many keys of sshd are published. */
  readonly hostKeys: number
  readonly sessions: readonly HostSessionStatus[]
  /** Links of the manager that came to life. */
  readonly connects: number
  /** Sessions that reached sshd. */
  readonly openedSessions: number
  /** Sessions for which sshd was not to be reached. */
  readonly unreachableSessions: number
  /** Sessions that went on over another link. */
  readonly resumedSessions: number
  /** Beyond a limit, or with an address that is not the relay's. */
  readonly refusedSessions: number
  /** Given up while their link was lost. */
  readonly lostSessions: number
  readonly receivedBytes: number
  readonly sentBytes: number
  readonly fault: Fault | undefined
}
