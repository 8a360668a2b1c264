import type { Socket } from 'node:net'
import type { Clock } from '../clock.ts'
import { AppError, describeError, errorCode } from '../errors.ts'
import type { OpenMessage } from '../tunnel/control-message.ts'
import { LocalEnd } from '../tunnel/local-end.ts'
import type { SessionEnd } from '../tunnel/session-end.ts'
import type { TunnelLink } from '../tunnel/tunnel-link.ts'
import { closeCode } from '../tunnel/tunnel-protocol.ts'
import { TunnelSession } from '../tunnel/tunnel-session.ts'
import type { LinkInbox } from './link-inbox.ts'
import { refuse } from './refuse-client.ts'
import type { HostSessionStatus } from './shell-host-status.ts'
import { socketStream } from './socket-stream.ts'

export interface HostTunnelOptions {
  /** Of the client; who knows it, and has its token, may go on with it. */
  readonly id: string
  /** Fingerprint of the token that opened it. */
  readonly token: string | undefined
  /** Without a link for so long it is given up. */
  readonly resumeWithinMs: number
}

export interface HostTunnelDeps {
  readonly clock: Clock
  /** Connects to sshd. */
  readonly dial: () => Promise<Socket>
  readonly onOpened: () => void
  readonly onResumed: () => void
  /** Once; `end` is undefined where sshd was not reached. */
  readonly onOver: (end: SessionEnd | undefined, fault: unknown) => void
}

/** A link on which a client asked for this session. */
interface Offer {
  readonly link: TunnelLink
  readonly inbox: LinkInbox
  readonly open: OpenMessage
}

/**
 * One session with a client of ours, from its `open` to its end, over however many links.
 *
 * Invariants: one connection to sshd; the link of the client's latest attempt carries it, in whatever order they come; a client that is refused hears why and its link ends.
 */
export class HostTunnel {
  readonly id: string
  readonly token: string | undefined
  readonly #deps: HostTunnelDeps
  readonly #resumeWithinMs: number
  readonly #sinceMs: number
  #session: TunnelSession | undefined
  /** Waits for sshd. */
  #waiting: Offer | undefined
  #link: TunnelLink | undefined
  #attempt = 0
  #isOver = false
  #resumes = 0
  #parkedAtMs = 0

  constructor({ id, token, resumeWithinMs }: HostTunnelOptions, deps: HostTunnelDeps) {
    this.id = id
    this.token = token
    this.#resumeWithinMs = resumeWithinMs
    this.#deps = deps
    this.#sinceMs = deps.clock.nowMs()
  }

  /** The first link. Resolves when sshd was reached, or not. Never rejects. */
  async start(offer: Offer): Promise<void> {
    this.#waiting = offer
    this.#link = offer.link
    this.#attempt = offer.open.attempt
    let socket: Socket
    try {
      socket = await this.#deps.dial()
    } catch (error) {
      if (this.#isOver) return
      this.#isOver = true
      refuse(this.#waiting.link, errorCode(error) ?? 'SSHD_UNREACHABLE', describeError(error))
      this.#deps.onOver(undefined, error)
      return
    }
    if (this.#isOver) socket.resetAndDestroy()
    else this.#begin(socket)
  }

  /** Another link, whose client may go on with it. */
  offer(offer: Offer): void {
    // Each link is a way of its own: what the client gave up may come in behind what it did next.
    if (offer.open.attempt < this.#attempt) {
      offer.link.close(closeCode.ended, 'superseded')
      return
    }
    this.#attempt = offer.open.attempt
    this.#link = offer.link
    if (this.#session === undefined) {
      this.#waiting?.link.close(closeCode.ended, 'superseded')
      this.#waiting = offer
      return
    }
    this.#resumes += 1
    this.#deps.onResumed()
    this.#attach(this.#session, offer)
  }

  /** Breaks it at both ends, with words for the person. */
  abort(code: string, message: string): void {
    if (this.#session !== undefined) {
      this.#session.abort(code, message)
      return
    }
    if (this.#isOver) return
    this.#isOver = true
    if (this.#waiting !== undefined) refuse(this.#waiting.link, code, message)
    this.#deps.onOver(undefined, new AppError(code, message))
  }

  /** The last that it was offered; it may be gone. */
  get link(): TunnelLink | undefined {
    return this.#link
  }

  /** Since when it has no link, by the monotonic clock; undefined while it has one, or has none yet. */
  get parkedAtMs(): number | undefined {
    return this.#session === undefined || this.#session.hasLink ? undefined : this.#parkedAtMs
  }

  /** What it holds in memory. */
  get heldBytes(): number {
    return this.#session?.heldBytes ?? 0
  }

  status(): HostSessionStatus {
    const { sentBytes, receivedBytes } = this.#session?.counts ?? { sentBytes: 0, receivedBytes: 0 }
    const state = this.#session === undefined ? 'opening' : this.#session.hasLink ? 'live' : 'parked'
    return {
      id: this.id.slice(0, 8),
      kind: 'tunnel',
      state,
      sinceMs: this.#sinceMs,
      receivedBytes,
      sentBytes,
      resumes: this.#resumes,
    }
  }

  #begin(socket: Socket): void {
    const offer = this.#waiting
    this.#waiting = undefined
    const local = new LocalEnd(socketStream(socket))
    const session = new TunnelSession(
      { role: 'host', resumeWithinMs: this.#resumeWithinMs },
      {
        clock: this.#deps.clock,
        local,
        onLinkLost: () => {
          this.#parkedAtMs = this.#deps.clock.monotonicMs()
        },
        onOver: (end) => {
          this.#isOver = true
          this.#deps.onOver(end, end.error)
        },
      },
    )
    this.#session = session
    this.#parkedAtMs = this.#deps.clock.monotonicMs()
    this.#deps.onOpened()
    local.listen(session)
    if (offer !== undefined) this.#attach(session, offer)
  }

  #attach(session: TunnelSession, { link, inbox, open }: Offer): void {
    session.attach(link, open)
    inbox.handOver(session)
  }
}
