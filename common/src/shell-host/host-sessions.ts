import type { Socket } from 'node:net'
import type { Clock } from '../clock.ts'
import { AppError, describeError, errorCode } from '../errors.ts'
import { type Fault, faultOf } from '../fault.ts'
import type { Log } from '../log.ts'
import type { Environment } from '../proxy.ts'
import { RateLimit } from '../rate-limit.ts'
import { openLink } from '../tunnel/dial-link.ts'
import type { SessionEnd } from '../tunnel/session-end.ts'
import type { TunnelLink } from '../tunnel/tunnel-link.ts'
import { closeCode } from '../tunnel/tunnel-protocol.ts'
import { dialSshd } from './dial-sshd.ts'
import { HostPlain } from './host-plain.ts'
import { HostTunnel, refuse } from './host-tunnel.ts'
import { linkAddressFlaw } from './link-address.ts'
import { LinkInbox } from './link-inbox.ts'
import type { ManagerMessage } from './manager-message.ts'
import type { ShellHostOptions } from './shell-host-options.ts'
import type { HostSessionStatus, ShellHostStatus } from './shell-host-status.ts'

export interface HostSessionsOptions extends ShellHostOptions {
  /** The shell id, for the log. */
  readonly id: string
}

export interface HostSessionsDeps {
  readonly clock: Clock
  readonly log: Log
  /** Of the process, for its proxy. */
  readonly environment: Environment
  readonly openLink?: typeof openLink
  readonly dialSshd?: typeof dialSshd
}

export type HostTotals = Pick<
  ShellHostStatus,
  | 'openedSessions'
  | 'unreachableSessions'
  | 'resumedSessions'
  | 'refusedSessions'
  | 'lostSessions'
  | 'receivedBytes'
  | 'sentBytes'
>

type Connect = Extract<ManagerMessage, { kind: 'connect' }>

/** A client for whom a link is dialled, or whose plain session runs. */
interface Served {
  readonly controller: AbortController
  link: TunnelLink | undefined
  plain: HostPlain | undefined
}

const linkWithinMs = 15_000
/** All sessions may come back at once, and some who are only told that there is no room. */
const spareLinks = 16
/** A client of ours that is there pairs at once; our relay keeps one that is not for no longer than this. */
const pairedWithinMs = 60_000
const openWithinMs = 10_000
/** What was said last has left by then, or never will. */
const lastWordsWithinMs = 1_000
const tellEveryMs = 10_000
/** Whether sshd is back shows only when somebody comes: a fault is not told for ever. */
const faultForMs = 600_000
const stopCode = 'HOST_STOPPED'
const stopMessage = 'the shell host was stopped or started anew; connect again'

/**
 * The sessions of one shell host: for each `connect` of the relay a link, and on it a session with sshd.
 *
 * Invariants: one that fails harms no other; never more than `maxSessions` sessions, and some more links that are being
 * made; nothing is dialled but sshd and the relay itself; after `close` nothing runs.
 */
export class HostSessions {
  readonly #options: HostSessionsOptions
  readonly #deps: HostSessionsDeps
  readonly #rate: RateLimit
  /** By the uuid of the relay. */
  readonly #served = new Map<string, Served>()
  /** By the id of the client. */
  readonly #tunnels = new Map<string, HostTunnel>()
  readonly #stopping = new AbortController()
  /** By reasons, which are few. */
  readonly #toldAtMs = new Map<string, number>()
  readonly #totals = {
    openedSessions: 0,
    unreachableSessions: 0,
    resumedSessions: 0,
    refusedSessions: 0,
    lostSessions: 0,
    receivedBytes: 0,
    sentBytes: 0,
  }
  /** Of the last session that could not be had; undefined again after one that could, and after a while. */
  #fault: Fault | undefined

  constructor(options: HostSessionsOptions, deps: HostSessionsDeps) {
    this.#options = options
    this.#deps = deps
    this.#rate = new RateLimit(options.sessionsPerSecond, deps.clock, options.maxSessions + spareLinks)
  }

  get totals(): HostTotals {
    return { ...this.#totals }
  }

  get fault(): Fault | undefined {
    return this.#fault
  }

  status(): readonly HostSessionStatus[] {
    const plain = [...this.#served.values()].flatMap((served) => served.plain?.status() ?? [])
    return [...[...this.#tunnels.values()].map((tunnel) => tunnel.status()), ...plain]
  }

  /** A client wants in; `manager` is the address of the manager. */
  connect(message: Connect, manager: string): void {
    if (this.#stopping.signal.aborted || this.#served.has(message.uuid)) return
    const flaw = linkAddressFlaw(message.uri, manager) ?? this.#limitReached(message)
    if (flaw !== undefined) {
      this.#refused(flaw)
      return
    }
    const served: Served = { controller: new AbortController(), link: undefined, plain: undefined }
    this.#served.set(message.uuid, served)
    void this.#serve(message, served)
  }

  /** The relay says that a client has gone. One of ours tells that on its own link. */
  disconnect(uuid: string): void {
    const served = this.#served.get(uuid)
    if (served?.plain === undefined) served?.controller.abort()
    else served.plain.finish()
  }

  /** Each second: what parked sessions hold together is bounded, and an old fault is forgotten. */
  tick(): void {
    if (this.#fault !== undefined && this.#deps.clock.nowMs() - this.#fault.atMs > faultForMs)
      this.#fault = undefined
    const parked = [...this.#tunnels.values()]
      .filter(({ parkedAtMs }) => parkedAtMs !== undefined)
      .toSorted((a, b) => (a.parkedAtMs ?? 0) - (b.parkedAtMs ?? 0))
    let heldBytes = parked.reduce((sum, tunnel) => sum + tunnel.heldBytes, 0)
    for (const tunnel of parked) {
      if (heldBytes <= this.#options.maxParkedBytes) return
      heldBytes -= tunnel.heldBytes
      this.#totals.lostSessions += 1
      tunnel.abort('SESSION_LOST', 'too many sessions of the host wait for their connection to come back')
    }
  }

  /** Breaks every session off, with words for the people; resolves when those have left, or after a grace. */
  async close(): Promise<void> {
    this.#stopping.abort()
    const owners = [...this.#tunnels.values(), ...this.#served.values()]
    const links = owners.flatMap(({ link }) => link ?? [])
    for (const tunnel of this.#tunnels.values()) tunnel.abort(stopCode, stopMessage)
    for (const { plain, controller } of this.#served.values()) {
      controller.abort()
      plain?.abort(stopCode, stopMessage)
    }
    const { clock } = this.#deps
    const deadlineMs = clock.monotonicMs() + lastWordsWithinMs
    const isBusy = (): boolean => links.some(({ bufferedBytes }) => bufferedBytes > 0)
    while (isBusy() && clock.monotonicMs() < deadlineMs) await clock.sleep(20)
    for (const link of links) link.terminate()
  }

  #limitReached({ peer }: Connect): string | undefined {
    const plain = [...this.#served.values()].filter((served) => served.plain !== undefined).length
    if (this.#served.size - plain >= this.#options.maxSessions + spareLinks)
      return 'too many links are being made'
    // One of ours may want to go on with a session that is there, and else hears words on its link.
    if (peer !== 'tunnel' && this.#isFull) return 'there are as many sessions as there may be'
    return this.#rate.admits() ? undefined : 'too many sessions were asked for in a short time'
  }

  get #isFull(): boolean {
    const plain = [...this.#served.values()].filter((served) => served.plain !== undefined).length
    return this.#tunnels.size + plain >= this.#options.maxSessions
  }

  #refused(why: string): void {
    this.#totals.refusedSessions += 1
    if (!this.#mayTell(why)) return
    this.#deps.log.warn(
      { shell: this.#options.id, why, refused: this.#totals.refusedSessions },
      'a session was refused',
    )
  }

  /** From the relay's `connect` until the link is a session's. Never rejects. */
  async #serve(message: Connect, served: Served): Promise<void> {
    const { uuid, uri, peer } = message
    const { clock, environment, openLink: open = openLink } = this.#deps
    const { signal } = served.controller
    const inbox = new LinkInbox({ clock, signal })
    // An old client waits for the banner of sshd: both at once (spec shell 1.2).
    const early = peer === 'tunnel' ? undefined : this.#dial(signal)
    early?.catch(() => undefined)
    try {
      const link = await open(uri, { timeoutMs: linkWithinMs, signal, environment, clock, receiver: inbox })
      served.link = link
      inbox.watch(link)
      if (link.isTunnel && (await inbox.paired(pairedWithinMs)) === 'tunnel') {
        void early?.then((socket) => socket.destroy()).catch(() => undefined)
        await this.#serveTunnel(link, inbox, message)
        this.#served.delete(uuid)
      } else {
        this.#servePlain({ uuid, link, inbox, served, socket: await (early ?? this.#dial(signal)) })
      }
    } catch (error) {
      this.#served.delete(uuid)
      void early?.then((socket) => socket.destroy()).catch(() => undefined)
      this.#drop(served.link, error)
      this.#failed(error, signal)
    }
  }

  #dial(signal: AbortSignal): Promise<Socket> {
    const { sshd, sshdWithinMs } = this.#options
    const { dialSshd: dial = dialSshd } = this.#deps
    return dial({ ...sshd, withinMs: sshdWithinMs, signal })
  }

  async #serveTunnel(link: TunnelLink, inbox: LinkInbox, { token }: Connect): Promise<void> {
    const open = await inbox.open(openWithinMs).catch((error: unknown) => {
      // The person hears it at once, and not that the host is silent.
      const isClientsFault = ['LINK_BAD', 'LINK_MUTE'].includes(errorCode(error) ?? '')
      if (isClientsFault) refuse(link, 'BAD_REQUEST', describeError(error))
      throw error
    })
    const { session: id, resume } = open
    const known = this.#tunnels.get(id)
    if (known !== undefined && known.token !== token) {
      refuse(link, 'TOKEN_CHANGED', 'the session was opened with another token')
      this.#refused('the token is not the one that the session was opened with')
    } else if (known !== undefined) {
      known.offer({ link, inbox, open })
    } else if (resume) {
      refuse(
        link,
        'SESSION_UNKNOWN',
        'the host does not know the session any more: it was started anew, or waited for too long',
      )
    } else if (this.#isFull) {
      refuse(
        link,
        'TOO_MANY_SESSIONS',
        `the host has ${this.#options.maxSessions} sessions, and takes no more`,
      )
      this.#refused('there are as many sessions as there may be')
    } else {
      await this.#openTunnel(id, token).start({ link, inbox, open })
    }
  }

  #openTunnel(id: string, token: string | undefined): HostTunnel {
    const tunnel = new HostTunnel(
      { id, token, resumeWithinMs: this.#options.resumeWithinMs },
      {
        clock: this.#deps.clock,
        dial: () => this.#dial(this.#stopping.signal),
        onOpened: () => this.#opened(tunnel.status()),
        onResumed: () => {
          this.#totals.resumedSessions += 1
        },
        onOver: (end, fault) => {
          this.#tunnels.delete(id)
          if (end === undefined) this.#failed(fault, this.#stopping.signal)
          else this.#over(tunnel.status(), end)
        },
      },
    )
    this.#tunnels.set(id, tunnel)
    return tunnel
  }

  #servePlain({
    uuid,
    link,
    inbox,
    served,
    socket,
  }: {
    readonly uuid: string
    readonly link: TunnelLink
    readonly inbox: LinkInbox
    readonly served: Served
    readonly socket: Socket
  }): void {
    if (socket.destroyed) throw new AppError('SSHD_UNREACHABLE', 'sshd closed the connection at once')
    const plain = new HostPlain(uuid, link, socket, {
      clock: this.#deps.clock,
      onOver: (end) => {
        this.#served.delete(uuid)
        this.#over(plain.status(), end)
      },
    })
    served.plain = plain
    this.#opened(plain.status())
    plain.start(inbox)
  }

  /** A link without a session. An old client can be told nothing. */
  #drop(link: TunnelLink | undefined, error: unknown): void {
    link?.close(closeCode.ended, errorCode(error) === 'SSHD_UNREACHABLE' ? 'sshd-unreachable' : 'ended')
  }

  #opened({ id, kind }: HostSessionStatus): void {
    this.#totals.openedSessions += 1
    this.#fault = undefined
    this.#deps.log.info({ shell: this.#options.id, session: id, kind }, 'a shell session is open')
  }

  #over({ id, kind, sentBytes, receivedBytes, sinceMs, resumes }: HostSessionStatus, end: SessionEnd): void {
    this.#totals.sentBytes += sentBytes
    this.#totals.receivedBytes += receivedBytes
    if (end.by === 'time') this.#totals.lostSessions += 1
    const seconds = Math.round((this.#deps.clock.nowMs() - sinceMs) / 1000)
    this.#deps.log.info(
      {
        shell: this.#options.id,
        session: id,
        kind,
        sentBytes,
        receivedBytes,
        seconds,
        resumes,
        by: end.by,
        error: end.error,
      },
      'a shell session has ended',
    )
  }

  #failed(error: unknown, signal: AbortSignal): void {
    if (signal.aborted || this.#stopping.signal.aborted) return
    if (errorCode(error) === 'SSHD_UNREACHABLE') {
      this.#totals.unreachableSessions += 1
      this.#fault = faultOf(error, this.#deps.clock.nowMs())
    }
    if (this.#mayTell(errorCode(error) ?? ''))
      this.#deps.log.warn({ shell: this.#options.id, error }, 'a shell session could not be opened')
  }

  /** The same again is told rarely: a relay, or who attacks it, can make it happen as often as it likes. */
  #mayTell(what: string): boolean {
    const nowMs = this.#deps.clock.monotonicMs()
    if (nowMs - (this.#toldAtMs.get(what) ?? Number.NEGATIVE_INFINITY) < tellEveryMs) return false
    this.#toldAtMs.set(what, nowMs)
    return true
  }
}
