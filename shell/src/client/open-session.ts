import type { Clock } from '@relay/common/clock'
import { AppError } from '@relay/common/errors'
import type { Environment } from '@relay/common/proxy'
import { encodeControl, parseControl } from '@relay/common/tunnel/control-message'
import { dialLink } from '@relay/common/tunnel/dial-link'
import type { LinkEnd, LinkReceiver, TunnelLink } from '@relay/common/tunnel/tunnel-link'
import { closeCode } from '@relay/common/tunnel/tunnel-protocol'
import type { PeerState } from '@relay/common/tunnel/tunnel-session'
import type { WebsocketLink } from '@relay/common/tunnel/websocket-link'
import { earlyEnd } from './client-fault.ts'

export interface OpenSessionOptions {
  readonly access: string
  readonly token: string
  readonly environment: Environment
  /** For exchange and handshake, each. */
  readonly dialWithinMs: number
  /** From then on: for the host to come, and to answer. */
  readonly openWithinMs: number
  /** Random text that names the session. */
  readonly session: string
  /** What this end has of a session that goes on; undefined for a new one. */
  readonly resume: PeerState | undefined
  readonly window: number
  /** Higher than that of any attempt before it for this session. */
  readonly attempt: number
  readonly signal: AbortSignal
  /** Once aborted, a host that is offline is not waited for. */
  readonly hurry: AbortSignal
}

export interface OpenSessionDeps {
  readonly clock: Clock
  /** The relay waits for the host. */
  readonly onWaiting: (lastSeen: string | null) => void
  /** The host has opened the session: whoever is called takes the link over in this very turn. */
  readonly onTunnel: (link: TunnelLink, peer: PeerState) => void
  /** An old program is at the other end or in between (`isRelayOld`). The link is taken over in this very turn. */
  readonly onPlain: (link: TunnelLink, isRelayOld: boolean) => void
}

/**
 * Dials a link and opens or resumes a session on it: resolves after one of `onTunnel` and `onPlain` was called, with the
 * link, which its new receiver owns.
 * @throws {AppError} those of `dialLink`; `HOST_OFFLINE`, `HOST_SILENT`; the code of the host's refusal, with its words;
 *   the code of the relay's close; `ABORTED`. The link is closed then.
 */
export async function openSession(
  options: OpenSessionOptions,
  deps: OpenSessionDeps,
): Promise<WebsocketLink> {
  const opening = new Opening(options, deps)
  const { access, token, environment, dialWithinMs, signal } = options
  const link = await dialLink({
    access,
    token,
    environment,
    timeoutMs: dialWithinMs,
    signal,
    clock: deps.clock,
    receiver: opening,
    userAgent: 'relay-shell-client',
  })
  await opening.run(link)
  return link
}

/** From the upgrade to the hand-over. What comes before somebody knows the link is kept: it is little. */
class Opening implements LinkReceiver {
  readonly #options: OpenSessionOptions
  readonly #deps: OpenSessionDeps
  #link: TunnelLink | undefined
  #early: ((receiver: LinkReceiver) => void)[] = []
  #settled = false
  #lastSeen: string | null | undefined
  #resolve: () => void = () => undefined
  #reject: (error: AppError) => void = () => undefined

  constructor(options: OpenSessionOptions, deps: OpenSessionDeps) {
    this.#options = options
    this.#deps = deps
  }

  async run(link: TunnelLink): Promise<void> {
    const { signal, hurry, openWithinMs } = this.#options
    const waitNoMore = (): void => this.#judgeWaiting()
    const giveUp = (): void => this.#fail(new AppError('ABORTED', 'it was given up'))
    const cancel = this.#deps.clock.after(openWithinMs, () => this.#fail(this.#lateError()))
    try {
      await new Promise<void>((resolve, reject) => {
        this.#resolve = resolve
        this.#reject = reject
        this.#link = link
        signal.addEventListener('abort', giveUp, { once: true })
        hurry.addEventListener('abort', waitNoMore, { once: true })
        if (signal.aborted) giveUp()
        else if (!link.isTunnel) this.#takePlain(link, true)
        // Whoever takes over on the way gets the rest.
        for (const give of this.#early) give(link.receiver)
      })
    } finally {
      cancel()
      signal.removeEventListener('abort', giveUp)
      hurry.removeEventListener('abort', waitNoMore)
    }
  }

  linkText(text: string): void {
    if (this.#link === undefined) this.#early.push((receiver) => receiver.linkText(text))
    else this.#takeText(text, this.#link)
  }

  linkBytes(data: Buffer): void {
    // Before the hand-over only an old host or relay sends bytes, and to that it comes as soon as the link is known.
    if (this.#link === undefined) this.#early.push((receiver) => receiver.linkBytes(data))
  }

  linkDrained(): void {
    // Nothing is sent yet that could fill it.
  }

  linkClosed(end: LinkEnd): void {
    if (this.#link === undefined) this.#early.push((receiver) => receiver.linkClosed(end))
    else this.#fail(earlyEnd(end))
  }

  #takeText(text: string, link: TunnelLink): void {
    // What comes behind the last word, in the same packet, is too late: who was refused is not opened.
    if (this.#settled) return
    const message = parseControl(text)
    switch (message?.type) {
      case 'waiting':
        this.#lastSeen = message.lastSeen
        this.#deps.onWaiting(message.lastSeen)
        this.#judgeWaiting()
        break
      case 'paired':
        if (message.peer === 'plain') this.#takePlain(link, false)
        else this.#open(link)
        break
      case 'opened':
        this.#settled = true
        this.#deps.onTunnel(link, message)
        this.#resolve()
        break
      case 'refused':
        this.#fail(new AppError(message.code, message.message || 'the host refused the session'))
        break
      default:
    }
  }

  #open(link: TunnelLink): void {
    const { session, resume, window, attempt } = this.#options
    link.sendText(
      encodeControl({
        type: 'open',
        session,
        resume: resume !== undefined,
        received: resume?.received ?? 0,
        window,
        attempt,
      }),
    )
  }

  #takePlain(link: TunnelLink, isRelayOld: boolean): void {
    if (this.#options.resume !== undefined) {
      this.#fail(new AppError('HOST_TOO_OLD', 'an old program answered, which cannot go on with a session'))
      return
    }
    this.#settled = true
    this.#deps.onPlain(link, isRelayOld)
    this.#resolve()
  }

  #judgeWaiting(): void {
    const { hurry, resume } = this.#options
    // A session that goes on may have bytes that the program has taken for sent.
    if (!hurry.aborted || resume !== undefined || this.#lastSeen === undefined) return
    this.#fail(offlineError(this.#lastSeen, 'the program that asked for it has ended already'))
  }

  #lateError(): AppError {
    const withinText = `${Math.round(this.#options.openWithinMs / 100) / 10} s`
    if (this.#lastSeen === undefined)
      return new AppError('HOST_SILENT', `the host did not answer within ${withinText}`)
    return offlineError(this.#lastSeen, `did not come within ${withinText}`)
  }

  #fail(error: AppError): void {
    if (this.#settled) return
    this.#settled = true
    // To end in order would end the session itself, which the host may have gone on with over this very link.
    if (this.#options.resume === undefined) this.#link?.close(closeCode.ended, 'given up')
    else this.#link?.terminate()
    this.#reject(error)
  }
}

function offlineError(lastSeen: string | null, more: string): AppError {
  const seen = lastSeen === null ? '' : `; it was last seen at ${lastSeen}`
  return new AppError('HOST_OFFLINE', `the host is not connected to the relay, and ${more}${seen}`)
}
