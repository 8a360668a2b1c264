/** What viewers get, and the commands that one of them sends. */
export const streamNames = ['video', 'data', 'commands', 'mqtt'] as const
export type StreamName = (typeof streamNames)[number]

export const faultKinds = [
  'relay-kill',
  'relay-restart',
  'relay-freeze',
  'encoder-kill',
  'encoder-freeze',
  'instrument-kill',
  'cable-pull',
  'garbage',
  'broker-kill',
  'broker-freeze',
  'partition',
  'link-cut',
  'slow-link',
  'laggy-link',
] as const
export type FaultKind = (typeof faultKinds)[number]

/** Parts of the system of which one fault at a time can have hold. */
export type Victim = 'relay' | 'camera' | 'instrument' | 'broker' | 'link'

export interface FaultRule {
  readonly victim: Victim
  /** What may break and must come back; the others must not even notice. */
  readonly streams: readonly StreamName[]
  /** How long it lasts before it is taken away again; where the agent itself must take it away, both are 0. */
  readonly holdMs: readonly [least: number, most: number]
  /** Everything must be back so long after it was taken away. Generous: a busy machine of two cores must keep them. */
  readonly recoverWithinMs: number
}

const everything = ['video', 'data', 'commands', 'mqtt'] as const
const ofInstrument = ['data', 'commands'] as const

/** What each fault touches. The limits are the deadlines of the agent (pings, dials, pauses) with the longest pauses added up. */
export const faultRules: Readonly<Record<FaultKind, FaultRule>> = {
  'relay-kill': { victim: 'relay', streams: everything, holdMs: [500, 8_000], recoverWithinMs: 45_000 },
  'relay-restart': { victim: 'relay', streams: everything, holdMs: [0, 3_000], recoverWithinMs: 45_000 },
  'relay-freeze': { victim: 'relay', streams: everything, holdMs: [2_000, 40_000], recoverWithinMs: 60_000 },
  'encoder-kill': { victim: 'camera', streams: ['video'], holdMs: [0, 0], recoverWithinMs: 30_000 },
  'encoder-freeze': { victim: 'camera', streams: ['video'], holdMs: [0, 0], recoverWithinMs: 40_000 },
  'instrument-kill': {
    victim: 'instrument',
    streams: ofInstrument,
    holdMs: [0, 5_000],
    recoverWithinMs: 20_000,
  },
  'cable-pull': {
    victim: 'instrument',
    streams: ofInstrument,
    holdMs: [200, 8_000],
    recoverWithinMs: 15_000,
  },
  garbage: { victim: 'instrument', streams: ofInstrument, holdMs: [200, 3_000], recoverWithinMs: 10_000 },
  'broker-kill': { victim: 'broker', streams: ['mqtt'], holdMs: [0, 8_000], recoverWithinMs: 40_000 },
  'broker-freeze': { victim: 'broker', streams: ['mqtt'], holdMs: [1_000, 15_000], recoverWithinMs: 40_000 },
  partition: { victim: 'link', streams: everything, holdMs: [1_000, 45_000], recoverWithinMs: 60_000 },
  'link-cut': { victim: 'link', streams: everything, holdMs: [0, 6_000], recoverWithinMs: 45_000 },
  'slow-link': { victim: 'link', streams: everything, holdMs: [3_000, 15_000], recoverWithinMs: 45_000 },
  'laggy-link': { victim: 'link', streams: everything, holdMs: [3_000, 15_000], recoverWithinMs: 45_000 },
}
