import { readFile } from 'node:fs/promises'
import { isLoopbackAddress } from './guard-request.ts'
import { type SocketEnds, socketOwner } from './socket-owner.ts'

/** The two ends of a connection as the server sees it; undefined once it is closed. */
export interface ServerConnection {
  readonly remoteAddress: string | undefined
  readonly remotePort: number | undefined
  readonly localAddress: string | undefined
  readonly localPort: number | undefined
}

/** Tells whether the other end belongs to this machine's root. */
export type PeerIsRoot = (connection: ServerConnection) => Promise<boolean>

/**
 * Looks up who owns the other end of a connection of this machine, in the tables of the kernel. In doubt, and on
 * machines without those tables, nobody is root.
 */
export const peerIsRoot: PeerIsRoot = async (connection) => {
  const ends = clientEnds(connection)
  if (ends === undefined || !isLoopbackAddress(ends.localAddress)) return false
  for (const path of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const table = await readFile(path, 'latin1').catch(() => '')
    const owner = socketOwner(table, ends)
    if (owner !== undefined) return owner === 0
  }
  return false
}

function clientEnds({
  remoteAddress,
  remotePort,
  localAddress,
  localPort,
}: ServerConnection): SocketEnds | undefined {
  if (remoteAddress === undefined || remotePort === undefined) return undefined
  if (localAddress === undefined || localPort === undefined) return undefined
  return {
    localAddress: remoteAddress,
    localPort: remotePort,
    remoteAddress: localAddress,
    remotePort: localPort,
  }
}
