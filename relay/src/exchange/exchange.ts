import type { Socket } from 'node:net'
import type { Cancel, Clock } from '@relay/common/clock'
import type { Log } from '@relay/common/log'
import { Progress } from '@relay/common/progress'
import { BINARY, TEXT } from '@relay/common/server/websocket/frame-header'
import { type CloseCause, closeReasons } from './close-reasons.ts'
import { Connection, type ConnectionDeps, type Liveness, type Peer } from './connection.ts'
import { type DeliveryTotals, newDeliveryTotals } from './delivery-totals.ts'
import { ExpiryWheel } from '@relay/common/server/expiry-wheel'
import type { Permission } from './permission.ts'
import type { RelaySocket } from './relay-socket.ts'
import { returnSlotMs, returnSpreadMs } from './return-plan.ts'
import { relieveMemory } from './relieve-memory.ts'
import { relieveUnfinished } from './relieve-unfinished.ts'
import { RetainedBytes } from './retained-bytes.ts'
import type { SlowReaderPolicy } from './slow-reader-policy.ts'
import { Topic } from './topic.ts'

export interface ExchangeOptions {
  readonly policy: SlowReaderPolicy
  /** Limit of the memory that all slow readers together keep. */
  readonly maxRetainedBytes: number
  /** Limit of what has come of messages that are not whole yet, of all peers together. */
  readonly maxUnfinishedBytes: number
  readonly liveness: Liveness
}

export interface ExchangeDeps {
  readonly clock: Clock
  readonly log: Log
}

export interface Joining {
  readonly socket: RelaySocket
  readonly tcp: Socket
  readonly permission: Permission
  readonly peer: Peer
}

/** Deadlines and pings are looked at this often, for all connections at once. */
const sweepEveryMs = 1000
/** A relay with twenty thousand connections on a busy machine comes this much later to it. */
const sweepLateMs = 20_000
/** While memory is short, who keeps it is looked at this often at most. */
const relieveEveryMs = 100

/**
 * Owns every connection and topic and passes messages on (spec session 6.3): to all readers of the topic but the
 * sender, whole, in order, with their opcode.
 *
 * Invariants: a connection is on its topic before its first byte is read and until it closes; nothing here waits for
 * a peer; one timer serves all deadlines.
 */
export class Exchange {
  readonly totals: DeliveryTotals = newDeliveryTotals()
  readonly retained: RetainedBytes
  readonly closed: Record<CloseCause | 'peer', number>
  /** Deadlines are looked at in time. */
  readonly progress: Progress
  readonly #options: ExchangeOptions
  readonly #deps: ExchangeDeps
  readonly #connectionDeps: ConnectionDeps
  readonly #topics = new Map<string, Topic>()
  readonly #connections = new Set<Connection>()
  readonly #byBooking = new Map<string, Set<Connection>>()
  readonly #countBySubject = new Map<string, number>()
  /** Links of hosts that understand hints. */
  #hintedCount = 0
  /** How many of them a drain has sent away. */
  #sentAwayCount = 0
  readonly #expiry: ExpiryWheel<Connection>
  readonly #dirty = new Set<Topic>()
  readonly #listeners = new Map<string, (payload: Buffer) => void>()
  #isFlushDue = false
  #nextReliefMs = 0
  #cancelSweep: Cancel | undefined

  constructor(options: ExchangeOptions, deps: ExchangeDeps) {
    this.progress = new Progress(deps.clock)
    this.#options = options
    this.#deps = deps
    this.retained = new RetainedBytes(options.maxRetainedBytes)
    this.#connectionDeps = {
      policy: options.policy,
      totals: this.totals,
      retained: this.retained,
      onTooSlow: (connection) => this.#close(connection, 'slow'),
    }
    this.#expiry = new ExpiryWheel(deps.clock, (connection) => this.#close(connection, 'expired'))
    const causes = Object.keys(closeReasons) as CloseCause[]
    this.closed = Object.fromEntries([...causes, 'peer'].map((cause) => [cause, 0])) as Record<
      CloseCause | 'peer',
      number
    >
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

  /** Lets go of the timers. Connections stay as they are. */
  stop(): void {
    this.#cancelSweep?.()
    this.#cancelSweep = undefined
    this.progress.rest()
    this.#expiry.stop()
  }

  get connections(): ReadonlySet<Connection> {
    return this.#connections
  }

  get topicCount(): number {
    return this.#topics.size
  }

  /** How many live connections count for the same token subject. */
  countOfSubject(subject: string): number {
    return this.#countBySubject.get(subject) ?? 0
  }

  /** Puts a websocket on its topic, before anything of it is read. */
  join({ socket, tcp, permission, peer }: Joining): Connection {
    const { clock } = this.#deps
    const times = { nowMs: clock.nowMs(), monotonicMs: clock.monotonicMs() }
    const options = { permission, peer, liveness: this.#options.liveness, ...times }
    const connection = new Connection(socket, tcp, options, this.#connectionDeps)
    this.#connections.add(connection)
    this.#countBySubject.set(permission.subject, this.countOfSubject(permission.subject) + 1)
    if (permission.bookingId !== '') this.#bookingOf(permission.bookingId).add(connection)
    if (permission.canRead) {
      const topic = this.#topicOf(permission.topic)
      topic.flush(times.monotonicMs)
      topic.add(connection)
    }
    this.#expiry.add(connection, permission.expiresAtSec)
    this.#listen(socket, tcp, connection)
    if (connection.takesHints) {
      this.#hintedCount += 1
      connection.tellReturn(returnSpreadMs(this.#hintedCount))
    }
    return connection
  }

  /** Passes a message of the relay itself to every reader of a topic. */
  publish(topicName: string, text: string): void {
    const topic = this.#topics.get(topicName)
    if (topic === undefined) return
    if (topic.collect({ sender: undefined, opcode: TEXT, payload: Buffer.from(text) })) this.#flush(topic)
    else this.#markDirty(topic)
  }

  /** Calls `onMessage` for each message on a topic, whether anybody reads it or not. For control, not for media. */
  listenTo(topicName: string, onMessage: (payload: Buffer) => void): void {
    this.#listeners.set(topicName, onMessage)
  }

  hasReaders(topicName: string): boolean {
    return (this.#topics.get(topicName)?.readerCount ?? 0) > 0
  }

  /** Ends all connections of a booking at once and says how many there were. */
  closeBooking(bookingId: string): number {
    const members = this.#byBooking.get(bookingId)
    if (members === undefined) return 0
    const count = members.size
    for (const connection of members) this.#close(connection, 'denied')
    return count
  }

  /** Ends the connections that `isMeant` picks. */
  closeWhere(isMeant: (permission: Permission) => boolean, cause: CloseCause): number {
    let count = 0
    for (const connection of this.#connections) {
      if (!isMeant(connection.permission)) continue
      this.#close(connection, cause)
      count += 1
    }
    return count
  }

  /** Sends what is collected, closes every connection with `going away`, and waits up to `withinMs` for them to end. */
  async drain(withinMs: number): Promise<void> {
    const { clock } = this.#deps
    this.#flushDirty()
    const untilMs = clock.monotonicMs() + withinMs
    const sendUntilMs = clock.monotonicMs() + withinMs / 2
    while (this.#connections.size > 0 && clock.monotonicMs() < untilMs) {
      const isLate = clock.monotonicMs() >= sendUntilMs
      for (const connection of this.#connections) {
        if (isLate || !connection.hasWaiting) this.#sendAway(connection)
      }
      await clock.sleep(10)
    }
    for (const connection of this.#connections) connection.terminate()
  }

  #listen(socket: RelaySocket, tcp: Socket, connection: Connection): void {
    socket.connection = connection
    socket.on('message', (data, isBinary) => this.#publishFrom(connection, data as Buffer, isBinary))
    socket.on('ping', (data) => connection.unfinished.passedControl(data.length))
    socket.on('pong', (data) => {
      connection.unfinished.passedControl(data.length)
      connection.ponged(this.#deps.clock.monotonicMs())
    })
    socket.on('error', (error) => this.#deps.log.debug({ error }, 'websocket failed'))
    socket.on('close', () => this.#leave(connection))
    tcp.on('drain', () => connection.drained(this.#deps.clock.monotonicMs()))
  }

  #publishFrom(connection: Connection, payload: Buffer, isBinary: boolean): void {
    if (!connection.isOpen) return
    connection.unfinished.finished()
    const { permission } = connection
    if (!permission.canWrite) {
      this.totals.ignoredMessages += 1
      return
    }
    connection.countSent(payload.length, this.#deps.clock.monotonicMs())
    this.totals.publishedMessages += 1
    this.totals.publishedBytes += payload.length
    this.#listeners.get(permission.topic)?.(payload)
    const topic = this.#topics.get(permission.topic)
    if (topic === undefined) return
    if (topic.collect({ sender: connection, opcode: isBinary ? BINARY : TEXT, payload })) this.#flush(topic)
    else this.#markDirty(topic)
  }

  #markDirty(topic: Topic): void {
    this.#dirty.add(topic)
    if (this.#isFlushDue) return
    this.#isFlushDue = true
    setImmediate(() => this.#flushDirty())
  }

  #flushDirty(): void {
    this.#isFlushDue = false
    for (const topic of this.#dirty) this.#flush(topic)
    this.#dirty.clear()
  }

  #flush(topic: Topic): void {
    const nowMs = this.#deps.clock.monotonicMs()
    topic.flush(nowMs)
    if (this.retained.isOver && nowMs >= this.#nextReliefMs) this.#relieve(nowMs)
  }

  #relieve(nowMs: number): void {
    this.#nextReliefMs = nowMs + relieveEveryMs
    relieveMemory(this.retained, this.#connections, {
      nowMs,
      cut: (connection) => {
        if (connection.isOpen) this.#close(connection, 'memory')
        else connection.terminate()
      },
    })
  }

  #sweep(): void {
    const nowMs = this.#deps.clock.monotonicMs()
    const spreadMs = returnSpreadMs(this.#hintedCount)
    for (const connection of this.#connections) {
      const cause = connection.check(nowMs, spreadMs)
      if (cause !== undefined) this.#close(connection, cause)
      else if (connection.takesHints) connection.tellViewers(this.#othersWhoHear(connection))
    }
    if (this.retained.isOver) this.#relieve(nowMs)
    relieveUnfinished(this.#connections, {
      maxBytes: this.#options.maxUnfinishedBytes,
      nowMs,
      cut: (connection) => this.#close(connection, 'unfinished'),
    })
  }

  #othersWhoHear({ permission: { topic, canRead } }: Connection): number {
    const readers = this.#topics.get(topic)?.readerCount ?? 0
    return canRead ? Math.max(0, readers - 1) : readers
  }

  /** Links of hosts get a moment each to come back in, so that a restart is no rush. */
  #sendAway(connection: Connection): void {
    if (!connection.isOpen) return
    const returnAfterMs = returnSlotMs(this.#sentAwayCount)
    if (connection.takesHints) this.#sentAwayCount += 1
    this.#close(connection, 'goingAway', returnAfterMs)
  }

  #close(connection: Connection, cause: CloseCause, returnAfterMs?: number): void {
    if (!connection.isOpen) return
    this.closed[cause] += 1
    this.#remove(connection)
    connection.close(cause, returnAfterMs)
    this.#deps.log.debug({ topic: connection.permission.topic, cause }, 'connection closed')
  }

  #leave(connection: Connection): void {
    if (connection.isOpen) {
      this.closed.peer += 1
      this.#remove(connection)
    }
    connection.ended()
    this.#connections.delete(connection)
  }

  /** Off its topic and out of every index but `#connections`, which keeps it until its socket has ended. */
  #remove(connection: Connection): void {
    const { permission } = connection
    if (connection.takesHints) this.#hintedCount -= 1
    this.#topics.get(permission.topic)?.delete(connection)
    this.#dropEmptyTopic(permission.topic)
    this.#expiry.delete(connection, permission.expiresAtSec)
    const left = this.countOfSubject(permission.subject) - 1
    if (left > 0) this.#countBySubject.set(permission.subject, left)
    else this.#countBySubject.delete(permission.subject)
    const members = this.#byBooking.get(permission.bookingId)
    members?.delete(connection)
    if (members?.size === 0) this.#byBooking.delete(permission.bookingId)
  }

  #dropEmptyTopic(name: string): void {
    const topic = this.#topics.get(name)
    if (topic?.readerCount !== 0) return
    this.#topics.delete(name)
    this.#dirty.delete(topic)
  }

  #topicOf(name: string): Topic {
    let topic = this.#topics.get(name)
    if (topic === undefined) {
      topic = new Topic()
      this.#topics.set(name, topic)
    }
    return topic
  }

  #bookingOf(bookingId: string): Set<Connection> {
    let members = this.#byBooking.get(bookingId)
    if (members === undefined) {
      members = new Set()
      this.#byBooking.set(bookingId, members)
    }
    return members
  }
}
