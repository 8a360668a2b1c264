import type { Socket } from 'node:net'
import type { Clock } from '../clock.ts'
import type { Fault } from '../fault.ts'
import type { Log } from '../log.ts'
import type { Environment } from '../proxy.ts'
import { RateLimit } from '../rate-limit.ts'
import { openLink } from '../tunnel/dial-link.ts'
import type { TunnelLink } from '../tunnel/tunnel-link.ts'
import { dialSshd } from './dial-sshd.ts'
import { HostPlain } from './host-plain.ts'
import { HostTally, type HostTotals } from './host-tally.ts'
import { HostTunnel } from './host-tunnel.ts'
import { waitForLastWords } from './last-words.ts'
import { linkAddressFlaw } from './link-address.ts'
import { type ClientLink, type ConnectMessage, openClientLink } from './open-client-link.ts'
import { refuse } from './refuse-client.ts'
import type { ShellHostOptions } from './shell-host-options.ts'
import type { HostSessionStatus } from './shell-host-status.ts'

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

/** A client for whom a link is dialled, or whose plain session runs. */
interface Served {
  readonly controller: AbortController
  link: TunnelLink | undefined
  plain: HostPlain | undefined
}

/** All sessions may come back at once, and some who are only told that there is no room. */
const spareLinks = 16
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
  readonly #tally: HostTally
  /** By the uuid of the relay. */
  readonly #served = new Map<string, Served>()
  /** By the id of the client. */
  readonly #tunnels = new Map<string, HostTunnel>()
  readonly #stopping = new AbortController()

  constructor(options: HostSessionsOptions, deps: HostSessionsDeps) {
    this.#options = options
    this.#deps = deps
    this.#rate = new RateLimit(options.sessionsPerSecond, deps.clock, options.maxSessions + spareLinks)
    this.#tally = new HostTally(options.id, deps)
  }

  get totals(): HostTotals {
    return this.#tally.totals
  }

  get fault(): Fault | undefined {
    return this.#tally.fault
  }

  status(): readonly HostSessionStatus[] {
    const plain = [...this.#served.values()].flatMap((served) => served.plain?.status() ?? [])
    return [...[...this.#tunnels.values()].map((tunnel) => tunnel.status()), ...plain]
  }

  /** A client wants in; `manager` is the address of the manager. */
  connect(message: ConnectMessage, manager: string): void {
    if (this.#stopping.signal.aborted || this.#served.has(message.uuid)) return
    const flaw = linkAddressFlaw(message.uri, manager) ?? this.#limitReached(message)
    if (flaw !== undefined) {
      this.#tally.refused(flaw)
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
    this.#tally.forgetOldFault()
    const parked = [...this.#tunnels.values()]
      .filter(({ parkedAtMs }) => parkedAtMs !== undefined)
      .toSorted((a, b) => (a.parkedAtMs ?? 0) - (b.parkedAtMs ?? 0))
    let heldBytes = parked.reduce((sum, tunnel) => sum + tunnel.heldBytes, 0)
    for (const tunnel of parked) {
      if (heldBytes <= this.#options.maxParkedBytes) return
      heldBytes -= tunnel.heldBytes
      this.#tally.lost()
      tunnel.abort('SESSION_LOST', 'too many sessions of the host wait for their connection to come back')
    }
  }

  /** Breaks every session off, with words for the people; resolves when those have arrived, or after a grace. */
  async close(): Promise<void> {
    this.#stopping.abort()
    const owners = [...this.#tunnels.values(), ...this.#served.values()]
    const links = owners.flatMap(({ link }) => link ?? [])
    for (const tunnel of this.#tunnels.values()) tunnel.abort(stopCode, stopMessage)
    for (const { plain, controller } of this.#served.values()) {
      controller.abort()
      plain?.abort(stopCode, stopMessage)
    }
    await waitForLastWords(links, this.#deps.clock)
  }

  #limitReached({ peer }: ConnectMessage): string | undefined {
    if (this.#served.size - this.#plainSessions >= this.#options.maxSessions + spareLinks)
      return 'too many links are being made'
    // One of ours may want to go on with a session that is there, and else hears words on its link.
    if (peer !== 'tunnel' && this.#isFull) return 'there are as many sessions as there may be'
    return this.#rate.admits() ? undefined : 'too many sessions were asked for in a short time'
  }

  get #plainSessions(): number {
    return [...this.#served.values()].filter((served) => served.plain !== undefined).length
  }

  get #isFull(): boolean {
    return this.#tunnels.size + this.#plainSessions >= this.#options.maxSessions
  }

  /** From the relay's `connect` until the link is a session's. Never rejects. */
  async #serve(message: ConnectMessage, served: Served): Promise<void> {
    const { uuid, token } = message
    const { clock, environment, openLink: open = openLink } = this.#deps
    const { signal } = served.controller
    try {
      const client = await openClientLink(message, signal, {
        clock,
        environment,
        openLink: open,
        dialSshd: (until) => this.#dial(until),
        onLink: (link) => {
          served.link = link
        },
      })
      if (client.kind === 'plain') {
        this.#beginPlain(uuid, served, client)
        return
      }
      await this.#enterTunnel(client, token)
    } catch (error) {
      if (!signal.aborted) this.#tally.failed(error)
    }
    this.#served.delete(uuid)
  }

  #dial(signal: AbortSignal): Promise<Socket> {
    const { sshd, sshdWithinMs } = this.#options
    const { dialSshd: dial = dialSshd } = this.#deps
    return dial({ ...sshd, withinMs: sshdWithinMs, signal })
  }

  /** A client of ours opens a session, or goes on with one. */
  async #enterTunnel(
    { link, inbox, open }: Extract<ClientLink, { kind: 'tunnel' }>,
    token: string | undefined,
  ): Promise<void> {
    const { session: id, resume } = open
    const known = this.#tunnels.get(id)
    if (known !== undefined && known.token !== token) {
      refuse(link, 'TOKEN_CHANGED', 'the session was opened with another token')
      this.#tally.refused('the token is not the one that the session was opened with')
    } else if (known !== undefined) {
      known.offer({ link, inbox, open })
    } else if (resume) {
      refuse(
        link,
        'SESSION_UNKNOWN',
        'the host does not know the session any more: it was started anew, or waited for too long',
      )
    } else if (this.#isFull) {
      const { maxSessions } = this.#options
      refuse(link, 'TOO_MANY_SESSIONS', `the host has ${maxSessions} sessions, and takes no more`)
      this.#tally.refused('there are as many sessions as there may be')
    } else {
      await this.#newTunnel(id, token).start({ link, inbox, open })
    }
  }

  #newTunnel(id: string, token: string | undefined): HostTunnel {
    const tally = this.#tally
    const { signal } = this.#stopping
    const tunnel = new HostTunnel(
      { id, token, resumeWithinMs: this.#options.resumeWithinMs },
      {
        clock: this.#deps.clock,
        dial: () => this.#dial(signal),
        onOpened: () => tally.opened(tunnel.status()),
        onResumed: () => tally.resumed(),
        onOver: (end, fault) => {
          this.#tunnels.delete(id)
          if (end !== undefined) tally.over(tunnel.status(), end)
          else if (!signal.aborted) tally.failed(fault)
        },
      },
    )
    this.#tunnels.set(id, tunnel)
    return tunnel
  }

  #beginPlain(
    uuid: string,
    served: Served,
    { link, inbox, socket }: Extract<ClientLink, { kind: 'plain' }>,
  ): void {
    const plain = new HostPlain(uuid, link, socket, {
      clock: this.#deps.clock,
      onOver: (end) => {
        this.#served.delete(uuid)
        this.#tally.over(plain.status(), end)
      },
    })
    served.plain = plain
    this.#tally.opened(plain.status())
    plain.start(inbox)
  }
}
