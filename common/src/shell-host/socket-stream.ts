import type { Socket } from 'node:net'
import type { LocalStream } from '../tunnel/local-end.ts'

/** A connection to sshd as a session wants it. Its sending side can end alone. */
export function socketStream(socket: Socket): LocalStream {
  return { readable: socket, writable: socket, reset: () => socket.resetAndDestroy() }
}
