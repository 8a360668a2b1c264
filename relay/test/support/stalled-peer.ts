import { once } from 'node:events'
import type { Socket } from 'node:net'
import { rawUpgrade } from '../../../common/test/support/raw-http.ts'

/** A peer whose program has stopped reading: the kernel's buffers fill, then the relay's socket is full. */
export class StalledPeer {
  readonly socket: Socket

  private constructor(socket: Socket) {
    this.socket = socket
  }

  static async dial(address: string): Promise<StalledPeer> {
    const { socket } = await rawUpgrade(address)
    socket.pause()
    return new StalledPeer(socket)
  }

  /** Reads on, and gives all that comes until the connection ends. */
  async readToEnd(): Promise<Buffer> {
    const chunks: Buffer[] = []
    this.socket.on('data', (chunk) => chunks.push(chunk))
    this.socket.resume()
    if (!this.socket.destroyed) await once(this.socket, 'close')
    return Buffer.concat(chunks)
  }
}
