import type { Socket } from 'node:net'

/**
 * Breaks a TCP connection with a reset, and always closes its descriptor.
 *
 * `resetAndDestroy` alone loses the descriptor for ever when a FIN has just been asked for: libuv refuses to reset a handle
 * that is shutting down (`uv_tcp_close_reset`, EINVAL), and Node then forgets the handle without closing it. The FIN takes
 * one turn of the event loop, as all bytes before it have left; the reset follows it. `test-rig/test/shell-leaks.test.ts`
 * would notice that this is no longer needed, or no longer enough.
 */
export function resetSocket(socket: Socket): void {
  const isShuttingDown = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0
  // An error in place of `finish` closes it as well.
  if (isShuttingDown && !socket.destroyed) socket.once('finish', () => socket.resetAndDestroy())
  else socket.resetAndDestroy()
}
