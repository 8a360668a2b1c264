import { connect, type Socket } from 'node:net'
import { resetSocket } from '@relay/common/tunnel/reset-socket'

/** Connects what comes to one port with another, in one way or another. */
export interface PortPipe {
  /** A fresh connection, which is paused and half-open where its other side has ended. */
  accept(socket: Socket): void
  /** Ends every connection; resolves when nothing runs any more. */
  stop(): Promise<void>
}

/** Copies bytes from socket to socket, and nothing in between: what any other way is to be measured against. */
export class DirectPipe implements PortPipe {
  readonly #port: number
  readonly #open = new Set<Socket>()

  /** `port` is that of this machine to which connections go. */
  constructor(port: number) {
    this.#port = port
  }

  accept(socket: Socket): void {
    const target = connect({ port: this.#port, host: 'localhost', allowHalfOpen: true, noDelay: true })
    this.#join(socket, target)
    this.#join(target, socket)
  }

  stop(): Promise<void> {
    for (const socket of this.#open) socket.destroy()
    return Promise.resolve()
  }

  /** What comes from one goes to the other, and so does its end; a break of one breaks the other. */
  #join(from: Socket, to: Socket): void {
    this.#open.add(from)
    from.on('error', () => resetSocket(to))
    from.on('close', () => {
      this.#open.delete(from)
      if (!from.readableEnded) resetSocket(to)
    })
    from.pipe(to)
  }
}
