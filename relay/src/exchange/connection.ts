import type { Socket } from 'node:net'
import { hostUserAgent, reasonWithReturn, spreadPayload } from '@relay/common/return-hint'
import { viewersPayload } from '@relay/common/viewers-hint'
import { UnfinishedMessage } from '@relay/common/server/websocket/unfinished-message'
import type { Batch } from './batch.ts'
import { type CloseCause, closeReasons } from './close-reasons.ts'
import { OutboundQueue, type OutboundQueueDeps } from './outbound-queue.ts'
import type { Permission } from './permission.ts'
import type { RelaySocket } from './relay-socket.ts'
import type { MemoryHolder } from './relieve-memory.ts'
import type { RetainedAccount } from './retained-bytes.ts'
import type { Reader } from './topic.ts'

/** Who is at the other end, as far as the upgrade request says. */
export interface Peer {
  /** `X-Forwarded-For` of a trusted proxy, else ''. */
  readonly remoteAddr: string
  readonly userAgent: string
}

export interface Liveness {
  readonly pingEveryMs: number
  /** Without a pong for so long the peer is gone; data does not count (spec session 6.5). */
  readonly pongWithinMs: number
}

export interface ConnectionOptions {
  readonly permission: Permission
  readonly peer: Peer
  /** Wall clock and monotonic time of the upgrade. */
  readonly nowMs: number
  readonly monotonicMs: number
  readonly liveness: Liveness
}

export interface ConnectionDeps extends OutboundQueueDeps {
  /** The policy gave up on this reader while it was being served. */
  readonly onTooSlow: (connection: Connection) => void
}

/** Ends that must not wait for a peer that takes nothing. */
const urgentCauses: ReadonlySet<CloseCause> = new Set(['denied', 'expired', 'retired'])

/** Ends that cut the socket: its peer reads nothing, or what it sends is to be let go of at once. */
const cuttingCauses: ReadonlySet<CloseCause> = new Set(['silent', 'stalled', 'memory', 'unfinished'])

/** A ping without payload: whole frames may go to the TCP socket between those of the library. */
const pingFrame = Buffer.from([0x89, 0x00])

/** A ping of a server with up to 125 bytes of payload (RFC 6455 5.2): no mask, length in one byte. */
function pingFrameWith(payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x89, payload.length]), payload])
}

/** One websocket on one topic. The exchange owns it; it holds no timer and no closure of its own. */
export class Connection implements Reader, MemoryHolder {
  readonly permission: Permission
  readonly peer: Peer
  readonly connectedAtMs: number
  readonly connectedMonotonicMs: number
  /** A host of ours: it is told when to come back. */
  readonly takesHints: boolean
  readonly #socket: RelaySocket
  readonly #tcp: Socket
  readonly #queue: OutboundQueue
  /** Of what the peer sends. */
  readonly unfinished: UnfinishedMessage
  readonly #liveness: Liveness
  readonly #onTooSlow: (connection: Connection) => void
  #nextPingMs: number
  #pongDueMs: number
  #isOpen = true
  #toldViewers = -1
  sentMessages = 0
  sentBytes = 0
  lastSentMs = -1

  constructor(socket: RelaySocket, tcp: Socket, options: ConnectionOptions, deps: ConnectionDeps) {
    this.permission = options.permission
    this.peer = options.peer
    this.connectedAtMs = options.nowMs
    this.takesHints = options.peer.userAgent.startsWith(hostUserAgent)
    this.connectedMonotonicMs = options.monotonicMs
    this.#socket = socket
    this.#tcp = tcp
    this.#queue = new OutboundQueue(tcp, deps)
    this.unfinished = new UnfinishedMessage(tcp)
    this.#liveness = options.liveness
    this.#onTooSlow = deps.onTooSlow
    this.#nextPingMs = options.monotonicMs + options.liveness.pingEveryMs
    this.#pongDueMs = options.monotonicMs + options.liveness.pongWithinMs
    tcp.setNoDelay(true)
  }

  /** False once it is closing: it neither hears nor is heard any more. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  get received(): { readonly messages: number; readonly bytes: number; readonly lastMs: number } {
    return {
      messages: this.#queue.deliveredMessages,
      bytes: this.#queue.deliveredBytes,
      lastMs: this.#queue.lastDeliveredMs,
    }
  }

  get account(): RetainedAccount | undefined {
    return this.#queue.account
  }

  get blockedSinceMs(): number {
    return this.#queue.blockedSinceMs
  }

  get hasWaiting(): boolean {
    return !this.#queue.isIdle
  }

  deliver(batch: Batch, from: number, to: number, nowMs: number): void {
    if (this.#isOpen && !this.#queue.offer(batch, from, to, nowMs)) this.#onTooSlow(this)
  }

  /** Notes a message that it published. */
  countSent(bytes: number, nowMs: number): void {
    this.sentMessages += 1
    this.sentBytes += bytes
    this.lastSentMs = nowMs
  }

  drained(nowMs: number): void {
    this.#queue.drained(nowMs)
  }

  ponged(nowMs: number): void {
    this.#pongDueMs = nowMs + this.#liveness.pongWithinMs
  }

  /** Tells a host over how long to spread its return when this link breaks without a word. */
  tellReturn(spreadMs: number): void {
    if (this.takesHints) this.#tcp.write(pingFrameWith(spreadPayload(spreadMs)))
  }

  /** Tells a host how many others hear its topic, where that has changed. */
  tellViewers(count: number): void {
    if (!this.takesHints || !this.#isOpen || count === this.#toldViewers) return
    this.#toldViewers = count
    this.#tcp.write(pingFrameWith(viewersPayload(count)))
  }

  /** What is wrong with it at this moment; sends a ping when one is due. */
  check(nowMs: number, spreadMs: number): CloseCause | undefined {
    if (this.#queue.isStalled(nowMs)) return 'stalled'
    if (this.unfinished.isTooMuch(nowMs)) return 'unfinished'
    if (nowMs >= this.#pongDueMs) return 'silent'
    if (nowMs >= this.#nextPingMs) {
      this.#nextPingMs = nowMs + this.#liveness.pingEveryMs
      if (this.takesHints) this.tellReturn(spreadMs)
      else this.#tcp.write(pingFrame)
    }
    return undefined
  }

  /**
   * Ends it: nothing waiting is sent any more. The peer gets a close frame with the reason, or, where its socket takes
   * nothing, is cut off at once. A host comes back after `returnAfterMs`, where that is given.
   */
  close(cause: CloseCause, returnAfterMs?: number): void {
    if (!this.#isOpen) return
    this.leave()
    const { code, reason } = closeReasons[cause]
    const isUrgent = this.#tcp.writableNeedDrain && urgentCauses.has(cause)
    if (isUrgent || cuttingCauses.has(cause)) this.terminate()
    else if (this.takesHints && returnAfterMs !== undefined)
      this.#socket.end(code, reasonWithReturn(reason, returnAfterMs))
    else this.#socket.end(code, reason)
  }

  /** Cuts the TCP connection; what its socket held is free at once. */
  terminate(): void {
    this.#socket.terminate()
    this.ended()
  }

  /** It hears no more: what waits counts as dropped. */
  leave(): void {
    this.#isOpen = false
    this.#queue.discard()
  }

  /** Its socket is gone, whoever ended it. */
  ended(): void {
    this.#isOpen = false
    this.#queue.ended()
  }
}
