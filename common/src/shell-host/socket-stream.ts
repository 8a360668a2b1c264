import type { Socket } from 'node:net'
import type { LocalStream } from '../tunnel/local-end.ts'
import { resetSocket } from '../tunnel/reset-socket.ts'

/** A connection to sshd as a session wants it. Its sending side can end alone. */
export function socketStream(socket: Socket): LocalStream {
  return { readable: socket, writable: socket, reset: () => resetSocket(socket) }
}
