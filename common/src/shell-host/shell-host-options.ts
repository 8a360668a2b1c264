import type { SshdAddress } from './host-and-port.ts'
import type { ShellHostSettings } from './shell-host-settings.ts'

export interface ShellHostOptions {
  /** Session address: `https://…/shell/<id>`. */
  readonly access: string
  readonly sshd: SshdAddress
  /** For a connection to sshd. */
  readonly sshdWithinMs: number
  /** Folder of `ssh_host_*_key.pub`; empty: nothing is published. */
  readonly hostKeyDirectory: string
  /** Signs what is published; empty: unsigned. */
  readonly deviceKeyFile: string
  /** At the same time, parked ones among them. */
  readonly maxSessions: number
  /** New links in the long run; `maxSessions` may come at once. */
  readonly sessionsPerSecond: number
  /** Of all sessions that wait for their link to come back. */
  readonly maxParkedBytes: number
  /** A session without a link for so long is given up. */
  readonly resumeWithinMs: number
}

/** The options of a host in what was configured; but for the token, which is no setting. Pure. */
export function shellHostOptions({ session, sshd, hostKeys, limits }: ShellHostSettings): ShellHostOptions {
  return {
    access: session,
    sshd: { host: sshd.host, port: sshd.port },
    sshdWithinMs: sshd.within,
    hostKeyDirectory: hostKeys.directory,
    deviceKeyFile: hostKeys.deviceKeyFile,
    maxSessions: limits.sessions,
    sessionsPerSecond: limits.sessionsPerSecond,
    maxParkedBytes: limits.parkedSize,
    resumeWithinMs: limits.resumeWithin,
  }
}
