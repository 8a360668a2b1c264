import type { Socket } from 'node:net'
import type { Clock } from '@relay/common/clock'
import { AppError } from '@relay/common/errors'
import type { Link, LinkEvents } from '../link.ts'
import { connectTcp, endSocket, type TcpTarget } from './connect-tcp.ts'
import { paceSocket } from './pace-socket.ts'

/**
 * Opens a serial line that a server gives out as it is, byte by byte, over TCP.
 * @throws {AppError} `INSTRUMENT_UNREACHABLE`.
 */
export async function openTcpLink(
  target: TcpTarget,
  events: LinkEvents,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Link> {
  const socket = await connectTcp(target, clock, signal)
  let isClosing = false
  socket.on('data', (chunk: Buffer) => {
    if (!isClosing) events.onData(chunk)
  })
  paceSocket(socket, clock)
  const onClose = (): void => events.onClosed(closedByServer(target.address))
  socket.once('close', onClose)
  return {
    opened: target.address,
    write: (data) => writeSocket(socket, data, target.address),
    check: () => Promise.resolve(undefined),
    close: () => {
      isClosing = true
      socket.off('close', onClose)
      return endSocket(socket, clock)
    },
  }
}

/** Resolves when the kernel has taken the bytes. */
export function writeSocket(socket: Socket, data: Buffer, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(data, (error) => {
      if (error === null || error === undefined) resolve()
      else reject(new AppError('INSTRUMENT_LOST', `the connection to ${address} failed`, { cause: error }))
    })
  })
}

export function closedByServer(address: string): AppError {
  return new AppError('INSTRUMENT_LOST', `the connection to ${address} was closed from there`)
}
