import type { Cancel } from '@relay/common/clock'
import { Progress } from '@relay/common/progress'
import { limitKey } from '@relay/common/server/client-address'
import { ExpiryWheel } from '@relay/common/server/expiry-wheel'
import type { Joining } from '@relay/common/server/websocket/websocket-port'
import { bypassBinary } from '@relay/common/tunnel/binary-bypass'
import { type Counters, newCounters } from './counters.ts'
import { type ExchangeDeps, type ExchangeOptions, usualFlow, usualLinkTimes } from './exchange-options.ts'
import type { ExchangeForAccess } from './exchange-port.ts'
import { HostAlerts } from './host-alerts.ts'
import { HostDesk } from './host-desk.ts'
import type { HostKeys } from './host-keys.ts'
import { Link, type LinkFault, type LinkTimes } from './link.ts'
import { type LinkSocket, maxMessageBytes } from './link-socket.ts'
import { Outbox, type OutboxTotals } from './outbox.ts'
import { Pair, type PairDeps } from './pair.ts'
import { PairRegistry } from './pair-registry.ts'
import type { SuddenCause } from './pair-state.ts'
import type { ClientPermission, HostPermission, Permission } from './permission.ts'
import { refuseLink } from './refuse-link.ts'
import type { Refusal } from './refusal.ts'
import { type Keeper, largestUnfinished, relieve, tooManyParked } from './relief.ts'
import { ReportReaders } from './report-readers.ts'
import { Turn } from './turn.ts'

/** Deadlines and pings are looked at this often, for all links at once. */
const sweepEveryMs = 1000
/** A relay with many links on a busy machine comes this much later to it. */
const sweepLateMs = 20_000
/** Readers of reports and hosts that leave so much unread are given up. */
const maxControlBytes = 4_194_304
/** Old clients of an id that are parked, and that part of all websockets; above it the oldest are let go. */
const maxParkedPerId = 256
const maxParkedShare = 1 / 8
/** Of how many ids host keys and last presence are remembered. */
const maxRememberedHosts = 4096

/**
 * Owns every link of the shell relay: hosts' control links, the pairs of links that sessions are made of, and readers
 * of reports.
 *
 * Invariants: a link is registered before its first byte is read; a client is registered before a host is alerted; no
 * queue is shared between pairs and nothing here waits for a peer; one timer serves all deadlines, one all expiries.
 */
export class Exchange implements ExchangeForAccess {
  readonly counters: Counters = newCounters()
  readonly totals: OutboxTotals = { waitingBytes: 0, droppedBytes: 0 }
  readonly hosts: HostDesk
  readonly pairs = new PairRegistry()
  readonly readers: ReportReaders
  /** Deadlines are looked at in time. */
  readonly progress: Progress
  readonly #options: ExchangeOptions
  readonly #deps: ExchangeDeps
  readonly #alerts: HostAlerts
  readonly #pairDeps: PairDeps
  readonly #linkTimes: LinkTimes
  readonly #links = new Set<Link>()
  readonly #expiry: ExpiryWheel<Pair | Link>
  readonly #turn = new Turn()
  #lastNumber = 0
  #cancelSweep: Cancel | undefined

  constructor(options: ExchangeOptions, deps: ExchangeDeps) {
    const { clock } = deps
    this.#options = options
    this.#deps = deps
    this.#linkTimes = options.linkTimes ?? usualLinkTimes
    this.progress = new Progress(clock)
    this.hosts = new HostDesk({ maxRememberedHosts }, clock)
    this.#expiry = new ExpiryWheel(clock, (item) => this.#expire(item))
    this.readers = new ReportReaders(
      () => clock.monotonicMs(),
      (reader) => this.#relieveControl(reader),
    )
    this.#alerts = new HostAlerts({
      options,
      clock,
      codes: deps.codes,
      hosts: this.hosts,
      counters: this.counters,
      onTold: (manager) => this.#relieveControl(manager),
    })
    this.#pairDeps = {
      times: options.pairTimes,
      limits: options.flow ?? usualFlow,
      totals: this.totals,
      turnEnd: this.#turn,
      counters: this.counters,
      monotonicMs: () => clock.monotonicMs(),
      factsOf: (pair) => ({
        nowMs: clock.monotonicMs(),
        managers: this.hosts.managersOf(pair.permission.id),
      }),
      lastSeenMsOf: (id) => this.hosts.lastSeenMsOf(id),
      alert: (pair, manager) => this.#alerts.alert(pair, manager),
      disconnect: (pair, action) => this.#alerts.disconnect(pair, action),
      forget: (pair) => this.#forget(pair),
      onWaiting: () => {
        if (!this.#hasMemory) this.#relieve()
      },
    }
  }

  /** Starts looking at deadlines; `stop` ends it. */
  start(): void {
    this.progress.promise(sweepEveryMs + sweepLateMs)
    this.#cancelSweep ??= this.#deps.clock.after(sweepEveryMs, () => {
      this.#cancelSweep = undefined
      this.#sweep()
      this.start()
    })
  }

  /** Lets go of the timers. Links stay as they are. */
  stop(): void {
    this.#cancelSweep?.()
    this.#cancelSweep = undefined
    this.#alerts.stop()
    this.progress.rest()
    this.#expiry.stop()
  }

  /** All websockets, those that are closing included. */
  get links(): ReadonlySet<Link> {
    return this.#links
  }

  /** Payload taken in since the start, by who receives it. */
  traffic(): { readonly host: number; readonly client: number } {
    let { bytesToHosts: host, bytesToClients: client } = this.counters
    for (const { toHost, toClient } of this.pairs.all()) {
      host += toHost.bytes
      client += toClient.bytes
    }
    return { host, client }
  }

  refusalOf(permission: Permission, address: string): Refusal | undefined {
    const held = { links: this.#links, hosts: this.hosts, readers: this.readers, pairs: this.pairs }
    return refuseLink(permission, limitKey(address), held, this.#options.limits)
  }

  hostKeysOf(id: string): HostKeys | undefined {
    return this.hosts.keysOf(id)
  }

  isHostOnline(id: string): boolean {
    return this.hosts.managersOf(id).length > 0
  }

  closeBooking(bookingId: string): number {
    return this.#endWhere((permission) => permission.bookingId === bookingId, 'denied')
  }

  closeOfKeys(keyIds: ReadonlySet<string>): number {
    return this.#endWhere(({ keyId }) => keyId !== undefined && keyIds.has(keyId), 'retired')
  }

  /** Takes a websocket in, in the turn of its upgrade, before anything of it is read. `refusalOf` was asked. */
  join(joining: Joining<Permission, LinkSocket>): void {
    const { permission, peer } = joining
    switch (permission.role) {
      case 'client':
        this.#joinClient(joining, permission, limitKey(peer.address))
        return
      case 'host':
        this.#joinHost(joining, permission)
        return
      case 'manager':
        this.#joinManager(this.#link(joining, this.#newOutbox()))
        return
      case 'stats':
        this.#joinReader(this.#link(joining, this.#newOutbox()))
        return
      default:
        permission satisfies never
    }
  }

  /**
   * Sends what waits, ends every session and then every control link, and waits up to `withinMs` for them to be gone.
   * Ends of ours hear that the relay stops and come back; sessions of old ends are over.
   */
  async drain(withinMs: number): Promise<void> {
    const { clock } = this.#deps
    const startMs = clock.monotonicMs()
    while (this.#links.size > 0 && clock.monotonicMs() - startMs < withinMs) {
      const isLate = clock.monotonicMs() - startMs >= withinMs / 2
      for (const pair of this.pairs.all()) {
        if (isLate || pair.waitingBytes === 0) pair.decide({ kind: 'sudden-end', cause: 'stopping' })
      }
      // A turn later than the sessions, so that hosts have been told of their ends.
      await clock.sleep(10)
      if (this.pairs.size > 0) continue
      for (const link of this.#controlLinks()) this.#endLink(link, 'stopping')
      await clock.sleep(10)
    }
    for (const link of this.#links) link.cut()
  }

  #joinClient(joining: Joining<Permission, LinkSocket>, permission: ClientPermission, address: string): void {
    const pair = new Pair(permission, address, this.#pairDeps)
    const link = this.#link(joining, pair.toClient)
    this.pairs.add(pair)
    this.#expiry.add(pair, permission.expiresAtSec)
    this.counters.sessions += 1
    pair.begin(link)
  }

  #joinHost(joining: Joining<Permission, LinkSocket>, permission: HostPermission): void {
    const pair = this.pairs.get(permission.connectionId)
    const link = this.#link(joining, pair?.toHost ?? this.#newOutbox())
    if (pair?.awaitsHost !== true) {
      link.end('ended')
      return
    }
    const manager = [...pair.alerts.keys()].find(({ number }) => number === permission.managerNumber)
    pair.join(link, manager)
    const { id } = permission
    this.#deps.log.info({ id, client: pair.client?.kind, host: link.kind }, 'session paired')
  }

  #joinManager(link: Link): void {
    const { id, expiresAtSec } = link.permission
    this.counters.managers += 1
    this.#expiry.add(link, expiresAtSec)
    const nowMs = this.#deps.clock.monotonicMs()
    link.begin(
      {
        message: (payload, isBinary) => this.hosts.heard(link, payload, isBinary),
        drained: ignore,
        left: () => this.#managerLeft(link),
      },
      nowMs,
    )
    this.hosts.add(link)
    this.#deps.log.info({ id, kind: link.kind, hosts: this.hosts.managersOf(id).length }, 'host connected')
    for (const pair of this.pairs.of(id)) pair.decide({ kind: 'manager-joined' })
  }

  #managerLeft(link: Link): void {
    const { id, expiresAtSec } = link.permission
    this.hosts.delete(link)
    this.#expiry.delete(link, expiresAtSec)
    this.#deps.log.info({ id, kind: link.kind, hosts: this.hosts.managersOf(id).length }, 'host gone')
    for (const pair of this.pairs.of(id)) pair.decide({ kind: 'manager-left', manager: link })
  }

  #joinReader(link: Link): void {
    const { expiresAtSec } = link.permission
    this.#expiry.add(link, expiresAtSec)
    this.readers.add(link, () => this.#expiry.delete(link, expiresAtSec))
  }

  #link({ socket, tcp, permission, peer }: Joining<Permission, LinkSocket>, outbox: Outbox): Link {
    const { clock, log } = this.#deps
    this.#lastNumber += 1
    const link = new Link({
      number: this.#lastNumber,
      socket,
      tcp,
      permission,
      peer,
      outbox,
      times: this.#linkTimes,
      nowMs: clock.nowMs(),
      monotonicMs: clock.monotonicMs(),
    })
    this.#links.add(link)
    if (link.carriesStream) {
      const onBytes = (data: Buffer): void => link.received(data, true, clock.monotonicMs())
      const isShort = bypassBinary(socket, {
        tcp,
        isPeerClient: true,
        maxFrameBytes: maxMessageBytes,
        onBytes,
      })
      if (!isShort)
        log.debug({ id: link.permission.id }, 'the bytes of a link go through the websocket library')
    }
    socket.on('message', (data, isBinary) => link.received(data as Buffer, isBinary, clock.monotonicMs()))
    socket.on('ping', (data) => link.pinged(data.length))
    socket.on('pong', (data) => link.ponged(data.length, clock.monotonicMs()))
    socket.on('error', (error) => log.debug({ error }, 'websocket failed'))
    socket.on('close', () => {
      link.closed()
      this.#links.delete(link)
    })
    tcp.on('drain', () => link.drained(clock.monotonicMs()))
    return link
  }

  #newOutbox(): Outbox {
    return new Outbox(this.totals, this.#turn)
  }

  #forget(pair: Pair): void {
    const { clock, codes, log } = this.#deps
    const { id, expiresAtSec } = pair.permission
    this.pairs.delete(pair)
    this.#expiry.delete(pair, expiresAtSec)
    for (const code of pair.codes) codes.exchange(code)
    this.counters.bytesToHosts += pair.toHost.bytes
    this.counters.bytesToClients += pair.toClient.bytes
    const seconds = Math.round((clock.monotonicMs() - (pair.client?.joinedMs ?? 0)) / 1000)
    const isPaired = pair.host !== undefined
    const traffic = { bytesToHost: pair.toHost.bytes, bytesToClient: pair.toClient.bytes }
    log.info({ id, isPaired, seconds, ...traffic }, 'session over')
  }

  #expire(item: Pair | Link): void {
    if (item instanceof Pair) item.decide({ kind: 'sudden-end', cause: 'expired' })
    else this.#endLink(item, 'expired')
  }

  /** Of a link that is no part of a pair. */
  #endLink(link: Link, cause: SuddenCause): void {
    if (!link.isOpen) return
    this.counters.closed[cause] += 1
    link.fail(cause, 'ended')
  }

  #endWhere(isMeant: (permission: Permission) => boolean, cause: SuddenCause): number {
    let count = 0
    for (const pair of this.pairs.all()) {
      if (!isMeant(pair.permission)) continue
      count += pair.host === undefined ? 1 : 2
      pair.decide({ kind: 'sudden-end', cause })
    }
    for (const link of this.#controlLinks()) {
      if (!isMeant(link.permission)) continue
      count += 1
      this.#endLink(link, cause)
    }
    return count
  }

  #sweep(): void {
    const nowMs = this.#deps.clock.monotonicMs()
    for (const link of this.#links) {
      const fault = link.check(nowMs)
      if (fault !== undefined) this.#giveUp(link, fault)
    }
    for (const pair of this.pairs.all()) pair.check(nowMs)
    this.hosts.sweep()
    const { maxConnections, maxUnfinishedBytes } = this.#options.limits
    const parked = { maxPerId: maxParkedPerId, max: Math.ceil(maxConnections * maxParkedShare) }
    for (const pair of tooManyParked(this.pairs.all(), parked)) pair.decide({ kind: 'client-spoke' })
    for (const link of largestUnfinished(this.#links, maxUnfinishedBytes)) this.#giveUp(link, 'unfinished')
  }

  #giveUp(link: Link, fault: LinkFault): void {
    this.counters.faults[fault] += 1
    this.#deps.log.debug({ id: link.permission.id, role: link.permission.role, fault }, 'link given up')
    if (fault === 'stalled') {
      this.counters.closed.tooSlow += 1
      link.fail('tooSlow', 'ended')
    } else link.cut()
  }

  /** Links that are no part of a pair. */
  #controlLinks(): readonly Link[] {
    return [...this.hosts.all(), ...this.readers.all()]
  }

  /** Whoever of them reads nothing is given up: first by its own limit, then by that of all together. */
  #relieveControl(link: Link): void {
    if (link.outbox.waitingBytes > maxControlBytes) this.#giveUp(link, 'stalled')
    if (!this.#hasMemory) this.#relieve()
  }

  get #hasMemory(): boolean {
    return this.totals.waitingBytes <= this.#options.limits.maxWaitingBytes
  }

  /** Ends whoever keeps the most, until all together keep less than they may. */
  #relieve(): void {
    relieve(
      () => this.#keepers(),
      () => this.#hasMemory,
    )
  }

  *#keepers(): Iterable<Keeper> {
    for (const pair of this.pairs.all()) {
      const giveUp = (): void => {
        this.counters.memoryDrops += 1
        pair.giveUpSlower()
      }
      yield { waitingBytes: pair.waitingBytes, giveUp }
    }
    for (const link of this.#controlLinks()) {
      const giveUp = (): void => {
        this.counters.memoryDrops += 1
        this.#giveUp(link, 'stalled')
      }
      yield { waitingBytes: link.outbox.waitingBytes, giveUp }
    }
  }
}

function ignore(): void {}
