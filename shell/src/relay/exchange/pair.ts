import { BINARY, TEXT } from '@relay/common/server/websocket/frame-header'
import { pairedMessage, waitingMessage } from './control-messages.ts'
import type { Counters } from './counters.ts'
import type { Link } from './link.ts'
import { Outbox, type TurnEnd, type OutboxTotals } from './outbox.ts'
import {
  awaitsHost,
  decidePair,
  newPair,
  type PairAction,
  type PairEvent,
  type PairFacts,
  type PairPhase,
  type PairState,
  type PairStep,
  type PairTimes,
  type Side,
} from './pair-state.ts'
import type { ClientPermission } from './permission.ts'

/** How much of an end is kept for the other before it is read no more, in bytes. */
export interface FlowLimits {
  /** Until both ends are there. */
  readonly unpairedBytes: number
  /** Between two ends of ours: more than the window of `shell/PROTOCOL.md`, so that they are always read. */
  readonly tunnelBytes: number
  /** From an end of ours to an old one. */
  readonly plainBytes: number
  /** From an old end: v0.2.2 loses bytes where it is not read for a second (spec shell 8.3). */
  readonly oldBytes: number
}

export interface PairDeps {
  readonly times: PairTimes
  readonly limits: FlowLimits
  readonly totals: OutboxTotals
  readonly turnEnd: TurnEnd
  readonly counters: Counters
  readonly monotonicMs: () => number
  readonly factsOf: (pair: Pair) => PairFacts<Link>
  readonly lastSeenMsOf: (id: string) => number | undefined
  readonly alert: (pair: Pair, manager: Link) => void
  readonly disconnect: (pair: Pair, action: DisconnectAction) => void
  readonly forget: (pair: Pair) => void
  /** Something was added to what waits. */
  readonly onWaiting: () => void
}

/** What one host was asked. */
export interface Alert {
  /** Where it was to dial. */
  readonly uri: string
  /**
   * Names it in connect and disconnect. Each alert has its own: a host whose control link broke while it dialled is
   * alerted anew, and must be able to tell the two apart.
   */
  readonly uuid: string
}

export type DisconnectAction = Extract<PairAction<Link>, { kind: 'disconnect' }>

/** Reading goes on once so much less than the limit waits: often and shortly, as old ends stand no long pause. */
const resumeBelowBytes = 131_072

/**
 * One tunnelled connection: the client's link, the host's link, and what is on its way between them (spec shell 1.2).
 * What becomes of it is decided in pair-state.ts; here it is done.
 *
 * Invariants: bytes of an end go to the other in order, each once, or the link that misses them is ended; nothing waits
 * for a peer; a source is read again as soon as there is room.
 */
export class Pair {
  readonly permission: ClientPermission
  /** Whom limits by address count together. */
  readonly address: string
  readonly toHost: Outbox
  readonly toClient: Outbox
  /** Codes given to hosts, to be taken back. */
  readonly codes: string[] = []
  /** By the control link that was alerted. */
  readonly alerts = new Map<Link, Alert>()
  readonly #deps: PairDeps
  #state: PairState<Link> | undefined
  #client: Link | undefined
  #host: Link | undefined
  #isTextPassed = false
  #limitToHost: number
  #limitToClient: number
  readonly #due: PairEvent<Link>[] = []
  #isDeciding = false

  constructor(permission: ClientPermission, address: string, deps: PairDeps) {
    this.permission = permission
    this.address = address
    this.#deps = deps
    this.toHost = new Outbox(deps.totals, deps.turnEnd)
    this.toClient = new Outbox(deps.totals, deps.turnEnd)
    this.#limitToHost = deps.limits.unpairedBytes
    this.#limitToClient = deps.limits.unpairedBytes
  }

  get phase(): PairPhase {
    return this.#state?.phase ?? 'waiting'
  }

  get awaitsHost(): boolean {
    return this.#state !== undefined && awaitsHost(this.#state)
  }

  get client(): Link | undefined {
    return this.#client
  }

  get host(): Link | undefined {
    return this.#host
  }

  /** What waits in both directions, in bytes of memory. */
  get waitingBytes(): number {
    return this.toHost.waitingBytes + this.toClient.waitingBytes
  }

  /** The client is there: it is registered from here on, and then a host is alerted. */
  begin(client: Link): void {
    const nowMs = this.#deps.monotonicMs()
    this.#client = client
    client.begin(
      {
        message: (payload, isBinary, at) => this.#fromClient(client, payload, isBinary, at),
        drained: () => this.#drained('client'),
        left: (leaving) => this.decide({ kind: 'left', side: 'client', leaving }),
      },
      nowMs,
    )
    this.#take(newPair(client.kind, this.#deps.factsOf(this), this.#deps.times))
  }

  /** The host has dialled; only while `awaitsHost`. `manager` is whom its code was given to. */
  join(host: Link, manager: Link | undefined): void {
    const nowMs = this.#deps.monotonicMs()
    const clientKind = this.#client?.kind ?? 'shell'
    this.#host = host
    this.#isTextPassed = clientKind === 'tunnel' && host.kind === 'tunnel'
    this.#limitToHost = this.#limitFor(clientKind, host.kind)
    this.#limitToClient = this.#limitFor(host.kind, clientKind)
    host.begin(
      {
        message: (payload, isBinary, at) => this.#fromHost(host, payload, isBinary, at),
        drained: () => this.#drained('host'),
        left: (leaving) => this.decide({ kind: 'left', side: 'host', leaving }),
      },
      nowMs,
      host.kind === 'tunnel' ? pairedMessage(clientKind) : undefined,
    )
    this.decide({ kind: 'host-joined', hostKind: host.kind, manager })
  }

  /** Something has happened; what follows from it is done before this returns, or before the decision under way does. */
  decide(event: PairEvent<Link>): void {
    this.#due.push(event)
    if (this.#isDeciding) return
    this.#isDeciding = true
    for (let next = this.#due.shift(); next !== undefined; next = this.#due.shift()) {
      if (this.#state === undefined) break
      this.#take(decidePair(this.#state, next, this.#deps.factsOf(this), this.#deps.times))
    }
    this.#isDeciding = false
    this.#resumeWhatMayFlow()
  }

  /** Deadlines; to be asked every second or so. */
  check(nowMs: number): void {
    if (this.#state !== undefined && nowMs >= this.#state.deadlineMs) this.decide({ kind: 'time-passed' })
  }

  /** Memory is short and this pair keeps the most: the end that does not take its bytes goes, and so does the pair. */
  giveUpSlower(): void {
    const slower = this.toHost.waitingBytes > this.toClient.waitingBytes ? this.#host : this.#client
    this.#deps.counters.closed.tooSlow += 1
    const given = slower ?? this.#client
    given?.fail('tooSlow', 'ended')
  }

  #fromClient(client: Link, payload: Buffer, isBinary: boolean, nowMs: number): void {
    switch (this.#state?.phase) {
      case 'waiting':
      case 'alerted':
      case 'paired':
        this.#pass(client, this.toHost, payload, isBinary, nowMs)
        if (this.toHost.waitingBytes > this.#limitToHost) this.#pause(client)
        return
      case 'closing-client':
      case 'parked':
        this.#deps.counters.discardedBytes += payload.length
        if (payload.length > 0) this.decide({ kind: 'client-spoke' })
        return
      default:
        this.#deps.counters.discardedBytes += payload.length
    }
  }

  #fromHost(host: Link, payload: Buffer, isBinary: boolean, nowMs: number): void {
    if (this.#state?.phase !== 'paired') {
      this.#deps.counters.discardedBytes += payload.length
      return
    }
    this.#pass(host, this.toClient, payload, isBinary, nowMs)
    if (this.toClient.waitingBytes > this.#limitToClient) this.#pause(host)
  }

  /** An empty message carries nothing: it opened the gate of the old relay (spec shell 8.2). */
  #pass(from: Link, outbox: Outbox, payload: Buffer, isBinary: boolean, nowMs: number): void {
    if (payload.length === 0) return
    const { counters, onWaiting } = this.#deps
    if (isBinary || from.kind !== 'tunnel') {
      outbox.offer(payload, BINARY, nowMs)
    } else if (this.#isTextPassed) {
      outbox.offer(payload, TEXT, nowMs)
    } else {
      counters.ignoredTexts += 1
      return
    }
    if (outbox.waitingBytes > 0) onWaiting()
  }

  #pause(source: Link): void {
    if (source.isPaused) return
    this.#deps.counters.pauses += 1
    source.pause()
  }

  #drained(side: Side): void {
    this.#resumeWhatMayFlow()
    if (this.#outboxOf(side).isEmpty && (this.phase === 'closing-host' || this.phase === 'closing-client')) {
      this.decide({ kind: 'flushed', side })
    }
  }

  #resumeWhatMayFlow(): void {
    this.#resumeIfRoom(this.#client, this.toHost, this.#limitToHost)
    this.#resumeIfRoom(this.#host, this.toClient, this.#limitToClient)
  }

  #resumeIfRoom(source: Link | undefined, outbox: Outbox, limitBytes: number): void {
    if (source?.isPaused !== true) return
    if (outbox.waitingBytes <= Math.max(0, limitBytes - resumeBelowBytes)) {
      source.resume(this.#deps.monotonicMs())
    }
  }

  #take(step: PairStep<Link>): void {
    this.#state = step.state
    for (const action of step.actions) this.#do(action)
  }

  #do(action: PairAction<Link>): void {
    const { counters, alert, disconnect, forget, lastSeenMsOf, monotonicMs } = this.#deps
    switch (action.kind) {
      case 'tell-waiting':
        this.#client?.tell(waitingMessage(lastSeenMsOf(this.permission.id)), monotonicMs())
        return
      case 'alert':
        alert(this, action.manager)
        return
      case 'announce':
        counters.paired += 1
        this.#announceToClient()
        return
      case 'flush':
        if (this.#outboxOf(action.side).isEmpty) this.decide({ kind: 'flushed', side: action.side })
        return
      case 'discard':
        this.#outboxOf(action.side).close()
        return
      case 'close':
        counters.closed[action.cause] += 1
        this.#linkOf(action.side)?.end(action.cause)
        return
      case 'disconnect':
        disconnect(this, action)
        return
      case 'forget':
        this.toHost.close()
        this.toClient.close()
        forget(this)
        return
      default:
        action satisfies never
    }
  }

  #announceToClient(): void {
    if (this.#client?.kind !== 'tunnel' || this.#host === undefined) return
    this.#client.tell(pairedMessage(this.#host.kind), this.#deps.monotonicMs())
  }

  #outboxOf(side: Side): Outbox {
    return side === 'client' ? this.toClient : this.toHost
  }

  #linkOf(side: Side): Link | undefined {
    return side === 'client' ? this.#client : this.#host
  }

  #limitFor(source: Link['kind'], target: Link['kind']): number {
    const { tunnelBytes, plainBytes, oldBytes } = this.#deps.limits
    if (source !== 'tunnel') return oldBytes
    return target === 'tunnel' ? tunnelBytes : plainBytes
  }
}
