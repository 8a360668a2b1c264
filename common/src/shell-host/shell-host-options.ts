import type { SshdAddress } from './dial-sshd.ts'

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
