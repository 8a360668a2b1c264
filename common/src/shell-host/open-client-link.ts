import type { Socket } from 'node:net'
import type { Clock } from '../clock.ts'
import { AppError, describeError, errorCode } from '../errors.ts'
import type { Environment } from '../proxy.ts'
import type { OpenMessage } from '../tunnel/control-message.ts'
import type { openLink } from '../tunnel/dial-link.ts'
import type { TunnelLink } from '../tunnel/tunnel-link.ts'
import { closeCode } from '../tunnel/tunnel-protocol.ts'
import { LinkInbox } from './link-inbox.ts'
import type { ManagerMessage } from './manager-message.ts'
import { refuse } from './refuse-client.ts'

export type ConnectMessage = Extract<ManagerMessage, { kind: 'connect' }>

/** A link to a client, and what it asks for: of ours a session, of an old program bytes to and from sshd. */
export type ClientLink =
  | {
      readonly kind: 'tunnel'
      readonly link: TunnelLink
      readonly inbox: LinkInbox
      readonly open: OpenMessage
    }
  | {
      readonly kind: 'plain'
      readonly link: TunnelLink
      readonly inbox: LinkInbox
      readonly socket: Socket
    }

export interface ClientLinkDeps {
  readonly clock: Clock
  readonly environment: Environment
  readonly openLink: typeof openLink
  /** Connects to sshd. */
  readonly dialSshd: (signal: AbortSignal) => Promise<Socket>
  /** It is open, and may be closed at any time. */
  readonly onLink: (link: TunnelLink) => void
}

const linkWithinMs = 15_000
/** A client of ours that is there pairs at once; our relay keeps one that is not for no longer than this. */
const pairedWithinMs = 60_000
const openWithinMs = 10_000

/**
 * Dials the link that a relay asks for and hears who is at its other end, until `signal` aborts.
 * @throws {AppError} what `openLink`, `LinkInbox` or the dial of sshd throw. The link is closed then, after words for the
 *   person where it can take them, and so is what was opened to sshd.
 */
export async function openClientLink(
  { uri, peer }: ConnectMessage,
  signal: AbortSignal,
  { clock, environment, openLink: open, dialSshd, onLink }: ClientLinkDeps,
): Promise<ClientLink> {
  const inbox = new LinkInbox({ clock, signal })
  // An old client waits for the banner of sshd: both at once (spec shell 1.2).
  const early = peer === 'tunnel' ? undefined : dialSshd(signal)
  const dropEarly = (): void => void early?.then((socket) => socket.destroy()).catch(() => undefined)
  early?.catch(() => undefined)
  let link: TunnelLink | undefined
  try {
    link = await open(uri, { timeoutMs: linkWithinMs, signal, environment, clock, receiver: inbox })
    onLink(link)
    inbox.watch(link)
    if (link.isTunnel && (await inbox.paired(pairedWithinMs)) === 'tunnel') {
      dropEarly()
      return { kind: 'tunnel', link, inbox, open: await heardOpen(link, inbox) }
    }
    const socket = await (early ?? dialSshd(signal))
    if (socket.destroyed) throw new AppError('SSHD_UNREACHABLE', 'sshd closed the connection at once')
    return { kind: 'plain', link, inbox, socket }
  } catch (error) {
    dropEarly()
    // An old client can be told nothing.
    link?.close(closeCode.ended, errorCode(error) === 'SSHD_UNREACHABLE' ? 'sshd-unreachable' : 'ended')
    throw error
  }
}

async function heardOpen(link: TunnelLink, inbox: LinkInbox): Promise<OpenMessage> {
  try {
    return await inbox.open(openWithinMs)
  } catch (error) {
    // The person hears it at once, and not that the host is silent.
    const isClientsFault = ['LINK_BAD', 'LINK_MUTE'].includes(errorCode(error) ?? '')
    if (isClientsFault) refuse(link, 'BAD_REQUEST', describeError(error))
    throw error
  }
}
