import { isIPv4 } from 'node:net'
import { endianness } from 'node:os'

/** The two ends of a TCP connection, seen from the end whose owner is asked for. */
export interface SocketEnds {
  readonly localAddress: string
  readonly localPort: number
  readonly remoteAddress: string
  readonly remotePort: number
}

export type ByteOrder = 'LE' | 'BE'

/** Established: any other state may belong to nobody any more, and is then shown as root's. */
const established = '01'

/**
 * Finds the user id that owns one end of a TCP connection of this machine, in the text of `/proc/net/tcp` or
 * `/proc/net/tcp6`. Undefined where it is not there, is not established, or has no owner.
 */
export function socketOwner(
  table: string,
  ends: SocketEnds,
  byteOrder: ByteOrder = endianness(),
): number | undefined {
  const isWide = table.includes('remote_address')
  const local = tableAddress(ends.localAddress, ends.localPort, { isWide, byteOrder })
  const remote = tableAddress(ends.remoteAddress, ends.remotePort, { isWide, byteOrder })
  if (local === undefined || remote === undefined) return undefined
  for (const line of table.split('\n')) {
    const fields = line.trim().split(/\s+/)
    if (fields[1] !== local || fields[2] !== remote || fields[3] !== established) continue
    const [uid, inode] = [fields[7], fields[9]]
    return uid === undefined || !/^\d+$/.test(uid) || inode === '0' ? undefined : Number(uid)
  }
  return undefined
}

/** `0100007F:22B8` for 127.0.0.1:8888: the kernel prints words of 32 bits in its own byte order. */
function tableAddress(
  address: string,
  port: number,
  { isWide, byteOrder }: { readonly isWide: boolean; readonly byteOrder: ByteOrder },
): string | undefined {
  const plain = address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '')
  let bytes: Buffer | undefined
  if (isIPv4(plain)) {
    const four = plain.split('.').map(Number)
    bytes = Buffer.from(isWide ? [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...four] : four)
  } else if (plain === '::1' && isWide) {
    bytes = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
  }
  if (bytes === undefined) return undefined
  if (byteOrder === 'LE') bytes.swap32()
  return `${bytes.toString('hex').toUpperCase()}:${port.toString(16).toUpperCase().padStart(4, '0')}`
}
