import type { Socket } from 'node:net'
import type { Cancel, Clock } from '@relay/common/clock'

/** 1.3 MB a second: the fastest line that can be configured, 12 Mbaud, gives 1.2. */
const sliceMs = 100
const bytesPerSlice = 131_072

/**
 * Reads a socket no faster than a serial line can speak, so that a server which floods us takes no whole core: TCP makes
 * it wait. Of itself it keeps one alarm at most, and none when the socket has closed.
 */
export function paceSocket(socket: Socket, clock: Pick<Clock, 'after'>): void {
  let bytes = 0
  let cancel: Cancel | undefined
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    cancel ??= clock.after(sliceMs, () => {
      cancel = undefined
      bytes = 0
      socket.resume()
    })
    if (bytes >= bytesPerSlice) socket.pause()
  })
  socket.once('close', () => cancel?.())
}
