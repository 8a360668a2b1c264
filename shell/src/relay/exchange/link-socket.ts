import { EchoingSocket, Upgrader } from '@relay/common/server/websocket/upgrader'
import { tunnelProtocol } from './close-codes.ts'
import type { Link } from './link.ts'

/** Largest message of anybody: 10 MiB, exactly (spec shell 5.4); what the successor refused passes too. */
export const maxMessageBytes = 10_485_760

/** The websocket of a link. */
export class LinkSocket extends EchoingSocket {
  /** Who is told of it when the peer closes. */
  link: Link | undefined

  /** The library answers the peer's close, or ends the connection for a fault of the peer. */
  override close(code?: number): void {
    this.link?.peerCloses(code)
    super.close(code)
  }
}

/**
 * How long a peer has to answer our close. What it has not got yet is under way until then, so it is generous: a last
 * megabyte over a thin line takes its time.
 */
const closeTimeoutMs = 30_000

/** Upgrades to such websockets; our own protocol is preferred to `null` (PROTOCOL.md). */
export function linkUpgrader(): Upgrader<LinkSocket> {
  return new Upgrader({
    socketClass: LinkSocket,
    maxMessageBytes,
    protocols: [tunnelProtocol, 'null'],
    closeTimeoutMs,
  })
}
