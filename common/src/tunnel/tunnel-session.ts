import type { Cancel, Clock } from '../clock.ts'
import type { AppError } from '../errors.ts'
import { encodeControl, parseControl } from './control-message.ts'
import type { LocalEvents, LocalSide } from './local-side.ts'
import { ReplayBuffer } from './replay-buffer.ts'
import { brokenEnd, cleanEnd, judgeLinkEnd, type SessionEnd } from './session-end.ts'
import { deaf, type LinkEnd, type LinkReceiver, type TunnelLink } from './tunnel-link.ts'
import {
  ACK_AFTER_BYTES,
  ACK_AFTER_MS,
  closeCode,
  KEEP_FINISHED_MS,
  MAX_MESSAGE_BYTES,
  RESUME_WITHIN_MS,
  WINDOW_BYTES,
} from './tunnel-protocol.ts'

export interface TunnelSessionOptions {
  readonly role: 'client' | 'host'
  /** What this end takes in unacknowledged. Default 4 MiB. */
  readonly windowBytes?: number
  /** Default 120 s. */
  readonly resumeWithinMs?: number
}

export interface TunnelSessionDeps {
  readonly clock: Pick<Clock, 'after'>
  readonly local: LocalSide
  /** The link broke; the session waits for another one (`attach`). A client dials again. */
  readonly onLinkLost: (end: LinkEnd) => void
  /** Once: the session is over, its link closed, its local side ended or reset. */
  readonly onOver: (end: SessionEnd) => void
}

/** What the other end said in `open` or `opened`. */
export interface PeerState {
  readonly received: number
  readonly window: number
}

/**
 * One tunnelled TCP connection at one end, over any number of links one after the other (shell/PROTOCOL.md, "Between the
 * ends"). Does no I/O itself: it stands between a `LocalSide`, whose events it takes, and the link it was given last.
 *
 * Invariants: each byte that the local side sent is delivered to the peer's once and in order, or the session is broken
 * at both ends; no more than the peer's window is unacknowledged; no more than this is kept (and one read); no more
 * than the own window waits for the local side, whatever the peer does; after `onOver` nothing happens any more.
 */
export class TunnelSession implements LocalEvents, LinkReceiver {
  readonly #role: 'client' | 'host'
  readonly #window: number
  readonly #resumeWithinMs: number
  readonly #deps: TunnelSessionDeps
  readonly #local: LocalSide
  #link: TunnelLink | undefined
  #isOver = false
  #isDone = false
  #cancelTimer: Cancel | undefined

  // What the local side sent: numbers of the stream, the `fin` being one more.
  readonly #replay = new ReplayBuffer()
  #peerWindow = WINDOW_BYTES
  /** The next byte for the link of now. */
  #sent = 0
  /** What was ever sent, and so may be acknowledged. */
  #sentMost = 0
  #acked = 0
  #finAt: number | undefined
  #isFinSent = false
  #isReading = false

  // What the peer sent.
  #received = 0
  #isFinReceived = false
  #taken = 0
  #isEndTaken = false
  /** The last acknowledgement that went out. */
  #told = 0
  #isAckDue = false

  constructor(
    { role, windowBytes = WINDOW_BYTES, resumeWithinMs = RESUME_WITHIN_MS }: TunnelSessionOptions,
    deps: TunnelSessionDeps,
  ) {
    this.#role = role
    this.#window = windowBytes
    this.#resumeWithinMs = resumeWithinMs
    this.#deps = deps
    this.#local = deps.local
    this.#waitForLink()
  }

  get isOver(): boolean {
    return this.#isOver
  }

  get hasLink(): boolean {
    return this.#link !== undefined
  }

  /** Bytes that the local side sent and those that came for it. */
  get counts(): { readonly sentBytes: number; readonly receivedBytes: number } {
    return { sentBytes: this.#replay.end, receivedBytes: this.#received }
  }

  /** Bytes in memory for it: not acknowledged by the peer, or not taken by the local side. */
  get heldBytes(): number {
    return this.#replay.bytes + this.#local.bufferedBytes
  }

  /** What a client says in `open` and a host in `opened`. */
  get state(): PeerState {
    return { received: this.#received + (this.#isFinReceived ? 1 : 0), window: this.#window }
  }

  /**
   * Goes on over `link`: from what the peer says it has, in `open` (the host, which then answers `opened` itself) or in
   * `opened` (the client). A link that it had before is closed with 1000. Reading the local side begins with the first.
   */
  attach(link: TunnelLink, peer: PeerState): void {
    if (this.#isOver) {
      link.close(closeCode.ended, 'ended')
      return
    }
    const before = this.#link
    if (before !== undefined) {
      before.receiver = deaf
      before.close(closeCode.ended, 'superseded')
    }
    this.#stopTimer()
    this.#link = link
    link.receiver = this
    if (peer.received < this.#acked || peer.received > this.#sentMost) {
      this.#breakBoth(
        'peer',
        'BAD_PEER',
        'the other end has received what was never sent, or lost what it had',
      )
      return
    }
    this.#peerWindow = peer.window
    this.#isFinSent = this.#finAt !== undefined && peer.received > this.#finAt
    this.#sent = this.#isFinSent ? (this.#finAt ?? 0) : peer.received
    if (this.#role === 'host') link.sendText(encodeControl({ type: 'opened', ...this.state }))
    if (this.#taken > 0 || this.#isEndTaken) this.#acknowledge()
    this.#pump()
    if (this.#isDone) this.#keepFinished()
    // The last thing that was owed may have been this very acknowledgement.
    else this.#judgeDone()
  }

  /** Breaks it at both ends: nothing more is delivered. */
  abort(code: string, message: string): void {
    this.#breakBoth('local', code, message)
  }

  /** It cannot be gone on with, for this reason: breaks it at this end, and at the other where there is a link. */
  fail(error: AppError): void {
    if (this.#isOver) return
    this.#sendReset(error.code, error.message)
    this.#local.reset()
    this.#end({ isClean: false, by: 'relay', error })
  }

  // From the local side.

  localBytes(data: Buffer): void {
    if (this.#isOver || this.#finAt !== undefined) return
    this.#replay.push(data)
    this.#pump()
  }

  localEnded(): void {
    if (this.#isOver || this.#finAt !== undefined) return
    this.#finAt = this.#replay.end
    this.#pump()
  }

  localTook(bytes: number): void {
    if (this.#isOver) return
    this.#taken += bytes
    this.#oweAck()
  }

  localTookEnd(): void {
    if (this.#isOver) return
    this.#isEndTaken = true
    // At once: the other end waits for it to be done.
    this.#acknowledge()
    this.#judgeDone()
  }

  localBroke(error: AppError): void {
    if (this.#isOver) return
    this.#sendReset(error.code, error.message)
    this.#end({ isClean: false, by: 'local', error })
  }

  // From the link.

  linkBytes(data: Buffer): void {
    if (this.#isOver || data.length === 0) return
    const end = this.#received + data.length
    if (this.#isFinReceived || end - this.#told > this.#window) {
      this.#breakBoth('peer', 'BAD_PEER', 'the other end sends more than it may')
      return
    }
    this.#received = end
    this.#local.write(data)
  }

  linkText(text: string): void {
    if (this.#isOver) return
    const message = parseControl(text)
    switch (message?.type) {
      case 'ack':
        this.#takeAck(message.offset)
        break
      case 'fin':
        this.#takeFin(message.at)
        break
      case 'reset':
        this.#local.reset()
        this.#end(brokenEnd('peer', message.code, message.message || 'the other end broke the connection'))
        break
      default:
      // Unknown, or nothing that a running session hears.
    }
  }

  linkDrained(): void {
    if (!this.#isOver) this.#pump()
  }

  linkClosed(end: LinkEnd): void {
    this.#link = undefined
    if (this.#isOver) return
    const verdict = judgeLinkEnd(end)
    if (verdict.kind === 'ended' && this.#isDone) {
      this.#end(cleanEnd)
    } else if (verdict.kind === 'lost') {
      if (!this.#isDone) this.#waitForLink()
      this.#judgeReading()
      this.#deps.onLinkLost(end)
    } else {
      this.#local.reset()
      this.#end(
        verdict.kind === 'final'
          ? brokenEnd('relay', verdict.code, verdict.message)
          : brokenEnd('peer', 'ENDED_EARLY', 'the other end left before the connection was over'),
      )
    }
  }

  // Sending.

  /** Sends what may be sent now. On the usual way this is the one chunk that was just read. */
  #pump(): void {
    const link = this.#link
    if (link !== undefined) {
      const limit = Math.min(this.#replay.end, this.#acked + this.#peerWindow)
      while (this.#sent < limit && !link.isFull) {
        const data = this.#replay.slice(this.#sent, Math.min(MAX_MESSAGE_BYTES, limit - this.#sent))
        this.#sent += data.length
        if (this.#sent > this.#sentMost) this.#sentMost = this.#sent
        link.sendBytes(data)
      }
      if (this.#sent === this.#finAt && !this.#isFinSent) {
        this.#isFinSent = true
        this.#sentMost = this.#finAt + 1
        link.sendText(encodeControl({ type: 'fin', at: this.#finAt }))
      }
    }
    this.#judgeReading()
  }

  /** Reads on while there is room: without a link too, up to one window. */
  #judgeReading(): void {
    const isWanted =
      this.#finAt === undefined &&
      this.#replay.end - this.#acked < this.#peerWindow &&
      this.#link?.isFull !== true
    if (isWanted === this.#isReading) return
    this.#isReading = isWanted
    if (isWanted) this.#local.resume()
    else this.#local.pause()
  }

  #takeAck(offset: number): void {
    if (offset > this.#sentMost) {
      this.#breakBoth('peer', 'BAD_PEER', 'the other end acknowledges what was never sent')
      return
    }
    if (offset <= this.#acked) return
    this.#acked = offset
    this.#replay.dropTo(offset)
    this.#pump()
    this.#judgeDone()
  }

  // Receiving.

  #takeFin(at: number): void {
    if (this.#isFinReceived) return
    if (at !== this.#received) {
      this.#breakBoth('peer', 'BAD_PEER', 'the other end ends its stream where it is not')
      return
    }
    this.#isFinReceived = true
    this.#local.end()
  }

  #oweAck(): void {
    if (this.#taken - this.#told >= ACK_AFTER_BYTES) {
      this.#acknowledge()
    } else if (!this.#isAckDue) {
      this.#isAckDue = true
      this.#deps.clock.after(ACK_AFTER_MS, () => {
        this.#isAckDue = false
        if (!this.#isOver && this.#taken > this.#told) this.#acknowledge()
      })
    }
  }

  #acknowledge(): void {
    if (this.#link === undefined) return
    this.#told = this.#taken + (this.#isEndTaken ? 1 : 0)
    this.#link.sendText(`a${this.#told}`)
  }

  // Ends.

  #judgeDone(): void {
    if (this.#isDone || this.#isOver || this.#finAt === undefined || !this.#isEndTaken) return
    // A client that has everything must not leave before the host has heard of it.
    if (this.#acked <= this.#finAt || this.#told <= this.#received) return
    this.#isDone = true
    if (this.#role === 'client') this.#end(cleanEnd)
    else this.#keepFinished()
  }

  #keepFinished(): void {
    this.#stopTimer()
    this.#cancelTimer = this.#deps.clock.after(KEEP_FINISHED_MS, () => this.#end(cleanEnd))
  }

  #waitForLink(): void {
    this.#stopTimer()
    this.#cancelTimer = this.#deps.clock.after(this.#resumeWithinMs, () => {
      this.#local.reset()
      this.#end(
        brokenEnd(
          'time',
          'SESSION_LOST',
          `the session had no connection for ${this.#resumeWithinMs / 1000} s and was given up`,
        ),
      )
    })
  }

  #breakBoth(by: SessionEnd['by'], code: string, message: string): void {
    if (this.#isOver) return
    this.#sendReset(code, message)
    this.#local.reset()
    this.#end(brokenEnd(by, code, message))
  }

  #sendReset(code: string, message: string): void {
    this.#link?.sendText(encodeControl({ type: 'reset', code, message }))
  }

  #end(end: SessionEnd): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#stopTimer()
    const link = this.#link
    this.#link = undefined
    if (link !== undefined) {
      link.receiver = deaf
      link.close(closeCode.ended, 'ended')
    }
    this.#deps.onOver(end)
  }

  #stopTimer(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }
}
