import type { Socket } from 'node:net'
import type { Clock } from '../clock.ts'
import { LocalEnd } from '../tunnel/local-end.ts'
import { PlainPump } from '../tunnel/plain-pump.ts'
import type { SessionEnd } from '../tunnel/session-end.ts'
import type { TunnelLink } from '../tunnel/tunnel-link.ts'
import { closeCode } from '../tunnel/tunnel-protocol.ts'
import type { LinkInbox } from './link-inbox.ts'
import type { HostSessionStatus } from './shell-host-status.ts'
import { socketStream } from './socket-stream.ts'

export interface HostPlainDeps {
  readonly clock: Clock
  /** Once. */
  readonly onOver: (end: SessionEnd) => void
}

/**
 * Where the peer speaks first, an old relay lets nothing through to us before we have spoken (spec shell 8.2); sshd
 * speaks within milliseconds, so that this is for other servers alone.
 */
const openGateAfterMs = 1_000

/** One session with an old client, or by way of an old relay: it ends with its link. */
export class HostPlain {
  readonly #uuid: string
  readonly #link: TunnelLink
  readonly #pump: PlainPump
  readonly #local: LocalEnd
  readonly #sinceMs: number
  readonly #cancelGate: () => void

  constructor(uuid: string, link: TunnelLink, socket: Socket, deps: HostPlainDeps) {
    this.#uuid = uuid
    this.#link = link
    this.#sinceMs = deps.clock.nowMs()
    this.#local = new LocalEnd(socketStream(socket))
    this.#pump = new PlainPump(
      link,
      { sendAfter: 'nothing', firstMessageWithinMs: 0 },
      {
        clock: deps.clock,
        local: this.#local,
        onOver: (end) => {
          this.#cancelGate()
          deps.onOver(end)
        },
      },
    )
    this.#cancelGate = deps.clock.after(openGateAfterMs, () => {
      if (!link.isTunnel && this.#pump.counts.sentBytes === 0) link.sendBytes(Buffer.alloc(0))
    })
  }

  /** Begins, with what came over the link already. */
  start(inbox: LinkInbox): void {
    this.#local.listen(this.#pump)
    this.#pump.start()
    inbox.handOver(this.#pump)
  }

  /** The client has gone: what came of it is written to sshd, then both ends are closed. */
  finish(): void {
    this.#link.close(closeCode.ended, 'ended')
  }

  abort(code: string, message: string): void {
    this.#pump.abort(code, message)
  }

  get counts(): PlainPump['counts'] {
    return this.#pump.counts
  }

  status(): HostSessionStatus {
    return {
      id: this.#uuid.slice(0, 8),
      kind: 'plain',
      state: 'live',
      sinceMs: this.#sinceMs,
      ...this.#pump.counts,
      resumes: 0,
    }
  }
}
