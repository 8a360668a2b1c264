import type { Socket } from 'node:net'
import { BINARY, TEXT } from '@relay/common/server/websocket/frame-header'
import { UnfinishedMessage } from '@relay/common/server/websocket/unfinished-message'
import type { Peer } from '@relay/common/server/websocket/websocket-port'
import { type CloseCause, closeCodes, tunnelProtocol } from './close-codes.ts'
import type { LinkSocket } from './link-socket.ts'
import type { Outbox } from './outbox.ts'
import type { Leaving, PeerKind } from './pair-state.ts'
import type { Permission } from './permission.ts'

/** Why a link is given up although its peer has not closed it. */
export type LinkFault = 'silent' | 'stalled' | 'unfinished'

export interface LinkTimes {
  /** To old ends; below the 60 s after which proxies give up (spec shell 5.4). */
  readonly pingEveryMs: number
  /** An old end that has not answered by then is gone. */
  readonly pongWithinMs: number
  /** An old host that may be a ghost has this long to answer. */
  readonly probeWithinMs: number
  /** An end of ours pings of its own accord: silent for so long, it is gone. */
  readonly silentAfterMs: number
  /** While an end of ours is not read, it is told this often that the link lives. */
  readonly assureEveryMs: number
  /** A socket that takes nothing for so long is given up. */
  readonly stalledAfterMs: number
}

export interface LinkOptions {
  readonly number: number
  readonly socket: LinkSocket
  readonly tcp: Socket
  readonly permission: Permission
  readonly peer: Peer
  readonly outbox: Outbox
  readonly times: LinkTimes
  /** Wall clock and monotonic time of the upgrade. */
  readonly nowMs: number
  readonly monotonicMs: number
}

/** What the owner of a link wants to know. */
export interface LinkOwner {
  message(payload: Buffer, isBinary: boolean, nowMs: number): void
  /** The socket took everything it had. */
  drained(): void
  /** The peer has gone, or was given up; never called after `end`. */
  left(leaving: Leaving): void
}

/** A ping without payload (RFC 6455 5.5.2). */
const pingFrame = Buffer.from([0x89, 0x00])
/** Answers to pings that a peer does not take in: more than this nobody needs. */
const maxPongBytes = 1_048_576
/** After both close frames, a peer that does not end its TCP connection either is cut. */
const lingerMs = 2000
/** The old relay ends these without a close frame (spec shell 1.3). */
const wordlessCauses: ReadonlySet<CloseCause> = new Set(['expired', 'stopping'])

/** One websocket. It holds no timer: its owner asks it from time to time. */
export class Link {
  readonly number: number
  readonly permission: Permission
  readonly peer: Peer
  readonly kind: PeerKind
  readonly outbox: Outbox
  readonly connectedAtMs: number
  readonly joinedMs: number
  readonly unfinished: UnfinishedMessage
  /** What came from the peer. */
  messages = 0
  bytes = 0
  /** Monotonic time of the last message; -1 for never. */
  lastMs = -1
  readonly #socket: LinkSocket
  readonly #tcp: Socket
  readonly #times: LinkTimes
  #owner: LinkOwner | undefined
  #isOpen = true
  #isPaused = false
  #nextPingMs: number
  #pongDueMs: number
  #bytesHeard = 0
  #heardMs: number
  #finishedSinceMs = -1

  constructor(options: LinkOptions) {
    const { socket, tcp, permission, times, monotonicMs } = options
    this.number = options.number
    this.permission = permission
    this.peer = options.peer
    this.kind = socket.protocol === tunnelProtocol ? 'tunnel' : permission.prefix
    this.outbox = options.outbox
    this.connectedAtMs = options.nowMs
    this.joinedMs = monotonicMs
    this.unfinished = new UnfinishedMessage(tcp)
    this.#socket = socket
    this.#tcp = tcp
    this.#times = times
    this.#nextPingMs = monotonicMs + (this.kind === 'tunnel' ? times.assureEveryMs : times.pingEveryMs)
    this.#pongDueMs = this.kind === 'tunnel' ? Number.POSITIVE_INFINITY : monotonicMs + times.pongWithinMs
    this.#heardMs = monotonicMs
    socket.link = this
    tcp.setNoDelay(true)
  }

  /** False once it is closing, whoever began. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** An end of ours, in a session: what it sends in binary messages is a stream of bytes. */
  get carriesStream(): boolean {
    const { role } = this.permission
    return this.kind === 'tunnel' && (role === 'client' || role === 'host')
  }

  /** Nothing is read of it at the moment. */
  get isPaused(): boolean {
    return this.#isPaused
  }

  /** From here on `owner` hears of it, and what waits goes out, behind `first`. */
  begin(owner: LinkOwner, nowMs: number, first?: string): void {
    this.#owner = owner
    this.outbox.attach(this.#tcp, nowMs, first)
  }

  tell(text: string, nowMs: number): void {
    if (this.#isOpen) this.outbox.offer(Buffer.from(text), TEXT, nowMs)
  }

  send(payload: Buffer, nowMs: number): void {
    if (this.#isOpen) this.outbox.offer(payload, BINARY, nowMs)
  }

  received(payload: Buffer, isBinary: boolean, nowMs: number): void {
    this.unfinished.finished()
    this.messages += 1
    this.bytes += payload.length
    this.lastMs = nowMs
    if (this.#isOpen) this.#owner?.message(payload, isBinary, nowMs)
  }

  pinged(payloadBytes: number): void {
    this.unfinished.passedControl(payloadBytes)
    if (this.#tcp.writableLength > maxPongBytes) this.cut()
  }

  ponged(payloadBytes: number, nowMs: number): void {
    this.unfinished.passedControl(payloadBytes)
    if (this.kind !== 'tunnel') this.#pongDueMs = nowMs + this.#times.pongWithinMs
  }

  drained(nowMs: number): void {
    this.outbox.drained(nowMs)
    this.#grantPong(nowMs)
    this.#owner?.drained()
  }

  /** Reads no more; one message that is under way may still come, and what had been read already. */
  pause(): void {
    if (this.#isPaused || !this.#isOpen) return
    this.#isPaused = true
    this.#socket.pause()
  }

  resume(nowMs: number): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#heardMs = nowMs
    this.#grantPong(nowMs)
    this.#socket.resume()
  }

  /** Asks whether anybody is there; where no answer comes soon, `check` says so. */
  probe(nowMs: number): void {
    if (!this.#isOpen || this.kind === 'tunnel') return
    this.#tcp.write(pingFrame)
    this.#pongDueMs = Math.min(this.#pongDueMs, nowMs + this.#times.probeWithinMs)
  }

  /** What is wrong with it at this moment; sends a ping when one is due. */
  check(nowMs: number): LinkFault | undefined {
    if (!this.#isOpen) {
      this.#checkEnding(nowMs)
      return undefined
    }
    const { blockedSinceMs } = this.outbox
    if (blockedSinceMs >= 0 && nowMs - blockedSinceMs > this.#times.stalledAfterMs) return 'stalled'
    if (!this.#isPaused && this.unfinished.isTooMuch(nowMs)) return 'unfinished'
    return this.kind === 'tunnel' ? this.#checkOwn(nowMs) : this.#checkOld(nowMs, blockedSinceMs >= 0)
  }

  /** Ends it for good: nothing that waits is sent any more. The peer gets a close frame, where it is to have one. */
  end(cause: CloseCause): void {
    if (!this.#isOpen) return
    this.#leave()
    const { code, reason } = closeCodes[cause]
    if (this.kind !== 'tunnel' && wordlessCauses.has(cause)) this.#socket.terminate()
    else this.#socket.end(code, reason)
    // What it still sends is thrown away; without reading, its answer would never be seen.
    if (this.#isPaused) this.#socket.resume()
    this.#isPaused = false
  }

  /** The peer has sent a close frame, or something that no websocket sends. */
  peerCloses(code: number | undefined): void {
    this.#giveUp(code === 1000 || code === undefined ? 'ended' : 'broken')
  }

  /** The socket is gone, whoever ended it. */
  closed(): void {
    this.#giveUp('broken')
  }

  /** Given up without a word: the peer reads nothing, or is not there. */
  cut(leaving: Leaving = 'broken'): void {
    this.#giveUp(leaving)
    this.#socket.terminate()
  }

  /** Given up, and the peer is told why. */
  fail(cause: CloseCause, leaving: Leaving): void {
    const owner = this.#isOpen ? this.#owner : undefined
    this.end(cause)
    owner?.left(leaving)
  }

  #giveUp(leaving: Leaving): void {
    if (!this.#isOpen) return
    this.#leave()
    this.#owner?.left(leaving)
  }

  #leave(): void {
    this.#isOpen = false
    this.outbox.close()
  }

  #checkOwn(nowMs: number): LinkFault | undefined {
    const { bytesRead } = this.#tcp
    if (this.#isPaused || bytesRead !== this.#bytesHeard) {
      this.#bytesHeard = bytesRead
      this.#heardMs = nowMs
    }
    if (nowMs - this.#heardMs > this.#times.silentAfterMs) return 'silent'
    // Its own pings stay unanswered while it is not read: this is what it hears in their place.
    if (this.#isPaused && nowMs >= this.#nextPingMs) {
      this.#nextPingMs = nowMs + this.#times.assureEveryMs
      this.#tcp.write(pingFrame)
    }
    return undefined
  }

  #checkOld(nowMs: number, isBlocked: boolean): LinkFault | undefined {
    if (nowMs >= this.#pongDueMs && !isBlocked && !this.#isPaused) return 'silent'
    if (nowMs >= this.#nextPingMs) {
      this.#nextPingMs = nowMs + this.#times.pingEveryMs
      this.#tcp.write(pingFrame)
    }
    return undefined
  }

  /** A ping stood behind what its socket was full of, or its pong behind what was not read: it has time anew. */
  #grantPong(nowMs: number): void {
    if (this.kind === 'tunnel') return
    this.#pongDueMs = Math.max(this.#pongDueMs, nowMs + this.#times.pongWithinMs)
  }

  /** Old programs never end their TCP connection after the close frames: waiting for it is of no use. */
  #checkEnding(nowMs: number): void {
    if (!this.#tcp.writableFinished) return
    if (this.#finishedSinceMs < 0) this.#finishedSinceMs = nowMs
    else if (nowMs - this.#finishedSinceMs >= lingerMs) this.#socket.terminate()
  }
}
