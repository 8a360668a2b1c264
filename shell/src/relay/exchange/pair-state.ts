import type { CloseCause } from './close-codes.ts'

/** Who is at an end: a program of ours, v0.2.2 (`shell`), or its successor (`connect`). */
export type PeerKind = 'tunnel' | 'shell' | 'connect'

export type Side = 'client' | 'host'

/** A host's control link, as far as decisions need it. */
export interface Manager {
  readonly kind: PeerKind
}

/** How an end has gone: with its session done, or with its link broken, so that an end of ours may come back. */
export type Leaving = 'ended' | 'broken'

/** Ends of both sides at once, without another word or byte. */
export type SuddenCause = Extract<CloseCause, 'expired' | 'denied' | 'retired' | 'stopping'>

/**
 * Where a pair stands:
 * `waiting` for a host that can be alerted; `alerted`: one is asked to dial; `paired`: bytes flow; `closing-host`: the
 * client has gone and the host gets what is left; `closing-client`: the other way round; `parked`: the host has gone and
 * a v0.2.2 client is kept from dialling again at once; `over`.
 */
export type PairPhase =
  | 'waiting'
  | 'alerted'
  | 'paired'
  | 'closing-host'
  | 'closing-client'
  | 'parked'
  | 'over'

export interface PairState<M extends Manager> {
  readonly phase: PairPhase
  readonly clientKind: PeerKind
  /** Undefined until a host has dialled. */
  readonly hostKind: PeerKind | undefined
  readonly joinedMs: number
  /** Of the phase, on the monotonic clock; `Infinity` for none. */
  readonly deadlineMs: number
  /** Everybody who was alerted, in order. */
  readonly alerted: readonly M[]
  readonly lastAlertMs: number
  /** Whose host dialled. */
  readonly dialled: M | undefined
  /** What the end that stays is told once it has everything. */
  readonly lastWord: CloseCause
  /** A v0.2.2 client wrote after its host had gone: somebody is there, who must learn of it. */
  readonly hasSpoken: boolean
}

export type PairEvent<M extends Manager> =
  | { readonly kind: 'manager-joined' }
  | { readonly kind: 'manager-left'; readonly manager: M }
  | { readonly kind: 'host-joined'; readonly hostKind: PeerKind; readonly manager: M | undefined }
  | { readonly kind: 'left'; readonly side: Side; readonly leaving: Leaving }
  /** Everything that waited for this side is with its socket. */
  | { readonly kind: 'flushed'; readonly side: Side }
  | { readonly kind: 'client-spoke' }
  | { readonly kind: 'time-passed' }
  | { readonly kind: 'sudden-end'; readonly cause: SuddenCause }

export type PairAction<M extends Manager> =
  | { readonly kind: 'tell-waiting' }
  | { readonly kind: 'alert'; readonly manager: M }
  /** Both ends are there: ends of ours are told, and what has waited flows. */
  | { readonly kind: 'announce' }
  /** Says `flushed` once everything is out. */
  | { readonly kind: 'flush'; readonly side: Side }
  | { readonly kind: 'close'; readonly side: Side; readonly cause: CloseCause }
  /** Nobody wants what waits for this side any more. */
  | { readonly kind: 'discard'; readonly side: Side }
  | {
      readonly kind: 'disconnect'
      readonly manager: M
      readonly isUsable: boolean
      readonly isAfterData: boolean
    }
  | { readonly kind: 'forget' }

export interface PairStep<M extends Manager> {
  readonly state: PairState<M>
  readonly actions: readonly PairAction<M>[]
}

/** What decisions look at. */
export interface PairFacts<M extends Manager> {
  readonly nowMs: number
  /** Open control links of the id, newest first. */
  readonly managers: readonly M[]
}

export interface PairTimes {
  /** An alerted host that has not dialled by then is passed over, where there is another. */
  readonly dialWithinMs: number
  /** The longest that an alerted host may take: the life of a one-time code. */
  readonly codeLifetimeMs: number
  /** How long a client is kept for a host that is not connected. */
  readonly waitForHostMs: number
}

/** A client has joined. */
export function newPair<M extends Manager>(
  clientKind: PeerKind,
  facts: PairFacts<M>,
  times: PairTimes,
): PairStep<M> {
  const state: PairState<M> = {
    phase: 'waiting',
    clientKind,
    hostKind: undefined,
    joinedMs: facts.nowMs,
    deadlineMs: facts.nowMs + times.waitForHostMs,
    alerted: [],
    lastAlertMs: Number.NEGATIVE_INFINITY,
    dialled: undefined,
    lastWord: 'ended',
    hasSpoken: false,
  }
  const alert = alertNext(state, facts, times)
  if (alert !== undefined) return alert
  return { state, actions: clientKind === 'tunnel' ? [{ kind: 'tell-waiting' }] : [] }
}

/** Whether a host that dials now is let in. */
export function awaitsHost({ phase }: PairState<Manager>): boolean {
  return phase === 'waiting' || phase === 'alerted'
}

/**
 * What becomes of a pair, and what is to be done about it (spec shell 1.3, 8.2, 8.3 and PROTOCOL.md). Pure.
 *
 * Invariants: `over` is final and comes with `forget`; an open end is closed exactly once; every manager that was
 * alerted gets one `disconnect`; a host of the successor gets a usable one only if its link had come, as it would end
 * with a panic else.
 */
export function decidePair<M extends Manager>(
  state: PairState<M>,
  event: PairEvent<M>,
  facts: PairFacts<M>,
  times: PairTimes,
): PairStep<M> {
  if (state.phase === 'over') return unchanged(state)
  switch (event.kind) {
    case 'manager-joined':
      return state.phase === 'waiting'
        ? (alertNext(state, facts, times) ?? unchanged(state))
        : unchanged(state)
    case 'manager-left':
      return whenManagerLeft(state, event.manager, facts, times)
    case 'host-joined':
      return whenHostJoined(state, event.hostKind, event.manager)
    case 'left':
      return event.side === 'client'
        ? whenClientLeft(state, event.leaving)
        : whenHostLeft(state, event.leaving)
    case 'flushed':
      return whenFlushed(state, event.side)
    case 'client-spoke':
      return whenClientSpoke(state)
    case 'time-passed':
      return facts.nowMs < state.deadlineMs ? unchanged(state) : whenLate(state, facts, times)
    case 'sudden-end':
      return suddenEnd(state, event.cause)
    default:
      return event satisfies never
  }
}

function unchanged<M extends Manager>(state: PairState<M>): PairStep<M> {
  return { state, actions: [] }
}

/** Alerts the newest manager that has not been; undefined where there is none. */
function alertNext<M extends Manager>(
  state: PairState<M>,
  { nowMs, managers }: PairFacts<M>,
  { dialWithinMs }: PairTimes,
): PairStep<M> | undefined {
  const manager = managers.find((candidate) => !state.alerted.includes(candidate))
  if (manager === undefined) return undefined
  return {
    state: {
      ...state,
      phase: 'alerted',
      alerted: [...state.alerted, manager],
      lastAlertMs: nowMs,
      deadlineMs: nowMs + dialWithinMs,
    },
    actions: [{ kind: 'alert', manager }],
  }
}

function whenManagerLeft<M extends Manager>(
  state: PairState<M>,
  manager: M,
  facts: PairFacts<M>,
  times: PairTimes,
): PairStep<M> {
  if (state.phase !== 'alerted' || state.alerted.at(-1) !== manager) return unchanged(state)
  const next = alertNext(state, facts, times)
  if (next !== undefined) return next
  const waiting = { ...state, phase: 'waiting', deadlineMs: state.joinedMs + times.waitForHostMs } as const
  return { state: waiting, actions: state.clientKind === 'tunnel' ? [{ kind: 'tell-waiting' }] : [] }
}

function whenHostJoined<M extends Manager>(
  state: PairState<M>,
  hostKind: PeerKind,
  manager: M | undefined,
): PairStep<M> {
  if (!awaitsHost(state)) return unchanged(state)
  return {
    state: { ...state, phase: 'paired', hostKind, dialled: manager, deadlineMs: Number.POSITIVE_INFINITY },
    actions: [{ kind: 'announce' }],
  }
}

function whenClientLeft<M extends Manager>(state: PairState<M>, leaving: Leaving): PairStep<M> {
  switch (state.phase) {
    case 'paired': {
      const lastWord = leaving === 'broken' && canResume(state) ? 'peerLost' : 'ended'
      return {
        state: { ...state, phase: 'closing-host', lastWord },
        actions: [
          { kind: 'discard', side: 'client' },
          { kind: 'flush', side: 'host' },
        ],
      }
    }
    case 'waiting':
    case 'alerted':
      return over(state, disconnects(state, false))
    case 'closing-client':
    case 'parked':
      return over(state, [])
    default:
      return unchanged(state)
  }
}

function whenHostLeft<M extends Manager>(state: PairState<M>, leaving: Leaving): PairStep<M> {
  if (state.phase === 'closing-host') return over(state, disconnects(state, false))
  if (state.phase !== 'paired') return unchanged(state)
  return {
    state: { ...state, phase: 'closing-client', lastWord: lastWordToClient(state, leaving) },
    actions: [
      { kind: 'discard', side: 'host' },
      ...disconnects(state, false),
      { kind: 'flush', side: 'client' },
    ],
  }
}

function lastWordToClient(state: PairState<Manager>, leaving: Leaving): CloseCause {
  if (canResume(state)) return leaving === 'ended' ? 'ended' : 'peerLost'
  return state.clientKind === 'tunnel' ? 'hostGone' : 'ended'
}

/** Both ends keep the TCP connections inside while a link of theirs is dialled anew. */
function canResume({ clientKind, hostKind }: PairState<Manager>): boolean {
  return clientKind === 'tunnel' && hostKind === 'tunnel'
}

function whenFlushed<M extends Manager>(state: PairState<M>, side: Side): PairStep<M> {
  if (state.phase === 'closing-host' && side === 'host') {
    return over(state, [{ kind: 'close', side, cause: state.lastWord }, ...disconnects(state, true)])
  }
  if (state.phase !== 'closing-client' || side !== 'client') return unchanged(state)
  const isKept = state.clientKind === 'shell' && !state.hasSpoken
  if (isKept) return { state: { ...state, phase: 'parked' }, actions: [] }
  return over(state, [{ kind: 'close', side, cause: state.lastWord }])
}

function whenClientSpoke<M extends Manager>(state: PairState<M>): PairStep<M> {
  if (state.phase === 'closing-client') return { state: { ...state, hasSpoken: true }, actions: [] }
  if (state.phase !== 'parked') return unchanged(state)
  return over(state, [{ kind: 'close', side: 'client', cause: 'ended' }])
}

function whenLate<M extends Manager>(
  state: PairState<M>,
  facts: PairFacts<M>,
  times: PairTimes,
): PairStep<M> {
  if (!awaitsHost(state)) return unchanged(state)
  const next = alertNext(state, facts, times)
  if (next !== undefined) return next
  const codeEndsMs = state.lastAlertMs + times.codeLifetimeMs
  if (facts.nowMs < codeEndsMs) return { state: { ...state, deadlineMs: codeEndsMs }, actions: [] }
  if (state.clientKind === 'shell') {
    return {
      state: { ...state, phase: 'parked', alerted: [], deadlineMs: Number.POSITIVE_INFINITY },
      actions: [{ kind: 'discard', side: 'host' }, ...disconnects(state, false)],
    }
  }
  return over(state, [{ kind: 'close', side: 'client', cause: 'hostOffline' }, ...disconnects(state, false)])
}

function suddenEnd<M extends Manager>(state: PairState<M>, cause: SuddenCause): PairStep<M> {
  const hasClient = state.phase !== 'closing-host'
  const hasHost = state.phase === 'paired' || state.phase === 'closing-host'
  return over(state, [
    ...(hasClient ? [{ kind: 'close', side: 'client', cause } as const] : []),
    ...(hasHost ? [{ kind: 'close', side: 'host', cause } as const] : []),
    ...(state.phase === 'closing-client' || state.phase === 'parked' ? [] : disconnects(state, false)),
  ])
}

function over<M extends Manager>(state: PairState<M>, actions: readonly PairAction<M>[]): PairStep<M> {
  return {
    state: { ...state, phase: 'over', deadlineMs: Number.POSITIVE_INFINITY },
    actions: [...actions, { kind: 'forget' }],
  }
}

function disconnects<M extends Manager>(state: PairState<M>, isAfterData: boolean): readonly PairAction<M>[] {
  return state.alerted.map((manager) => ({
    kind: 'disconnect',
    manager,
    isUsable: manager === state.dialled || manager.kind !== 'connect',
    isAfterData,
  }))
}
