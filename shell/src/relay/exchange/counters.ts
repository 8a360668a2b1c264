import { type CloseCause, closeCodes } from './close-codes.ts'
import type { LinkFault } from './link.ts'

/** What the exchange has counted since the start. */
export interface Counters {
  /** Clients taken in. */
  sessions: number
  /** Of them those whose host came. */
  paired: number
  /** Hosts asked to dial; more than sessions where one did not. */
  alerts: number
  disconnects: number
  /** Control links of hosts taken in. */
  managers: number
  /** How often a source was not read because the other end took too little. */
  pauses: number
  /** Bytes of an end whose other end was gone already. */
  discardedBytes: number
  /** Control messages between ends of ours that had no end of ours to go to. */
  ignoredTexts: number
  /** Pairs given up because all together kept too much. */
  memoryDrops: number
  /** Links ended by the relay, by cause. */
  readonly closed: Record<CloseCause, number>
  /** Links given up, by what was wrong with them. */
  readonly faults: Record<LinkFault, number>
  /** Payload of pairs that are over, by who received it. */
  bytesToHosts: number
  bytesToClients: number
}

export function newCounters(): Counters {
  const closed = Object.fromEntries(Object.keys(closeCodes).map((cause) => [cause, 0]))
  return {
    sessions: 0,
    paired: 0,
    alerts: 0,
    disconnects: 0,
    managers: 0,
    pauses: 0,
    discardedBytes: 0,
    ignoredTexts: 0,
    memoryDrops: 0,
    closed: closed as Record<CloseCause, number>,
    faults: { silent: 0, stalled: 0, unfinished: 0 },
    bytesToHosts: 0,
    bytesToClients: 0,
  }
}
