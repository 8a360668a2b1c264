import type { Clock } from '@relay/common/clock'
import type { Log } from '@relay/common/log'
import type { OneTimeCodes } from '@relay/common/one-time-codes'
import type { LinkTimes } from './link.ts'
import type { FlowLimits } from './pair.ts'
import type { PairTimes } from './pair-state.ts'
import type { Permission } from './permission.ts'

export interface ExchangeLimits {
  /** Websockets in all. Each session counts as two from the start. */
  readonly maxConnections: number
  readonly maxSessionsPerId: number
  /** An IPv4 address or an IPv6 /64. */
  readonly maxSessionsPerAddress: number
  readonly maxHostsPerId: number
  /** Clients of an id that wait for a host that is not connected. */
  readonly maxWaitingPerId: number
  /** Memory that all queues together may take; above it the connection that keeps the most is ended. */
  readonly maxWaitingBytes: number
  /** What has come of messages that are not whole yet, of all peers together. */
  readonly maxUnfinishedBytes: number
}

export interface ExchangeOptions {
  /** What stands before `/<prefix>/<id>` in every address that is given to a host. */
  readonly target: string
  readonly limits: ExchangeLimits
  readonly flow?: FlowLimits
  readonly linkTimes?: LinkTimes
  readonly pairTimes: PairTimes
}

export interface ExchangeDeps {
  readonly clock: Clock
  readonly log: Log
  /** Shared with the access API; hosts' codes are added to it. */
  readonly codes: OneTimeCodes<Permission>
}

/** Spec shell 5.4 for old ends, PROTOCOL.md for ours. */
export const usualLinkTimes: LinkTimes = {
  pingEveryMs: 54_000,
  pongWithinMs: 60_000,
  probeWithinMs: 15_000,
  silentAfterMs: 30_000,
  assureEveryMs: 5000,
  stalledAfterMs: 120_000,
}

/** Ends of ours never have more than 4 MiB on their way; old ends have up to 2 MiB per ssh channel (spec shell 8.2). */
export const usualFlow: FlowLimits = {
  unpairedBytes: 1_048_576,
  tunnelBytes: 5_242_880,
  plainBytes: 1_048_576,
  oldBytes: 16_777_216,
}
