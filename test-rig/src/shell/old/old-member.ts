import type { RawData, WebSocket } from 'ws'
import { messageBytes } from './old-pump.ts'

const pingEveryMs = 54_000
const pongWithinMs = 60_000
/** Above this the old library writes one open frame and an empty one that ends it (spec shell 10.5). */
const longMessageBytes = 8220
const bufferBytes = 4096

interface Queued {
  readonly data: Buffer
  readonly isBinary: boolean
}

/** One websocket at an old relay, with a queue that counts messages and knows no bytes. */
export class OldMember {
  readonly #socket: WebSocket
  readonly #writesTwoFrames: boolean
  readonly #queue: Queued[] = []
  #isWriting = false

  constructor(socket: WebSocket, { writesTwoFrames }: { readonly writesTwoFrames: boolean }) {
    this.#socket = socket
    this.#writesTwoFrames = writesTwoFrames
    const ping = setInterval(() => socket.ping(), pingEveryMs)
    let deadline = setTimeout(() => socket.terminate(), pongWithinMs)
    socket.on('pong', () => {
      clearTimeout(deadline)
      deadline = setTimeout(() => socket.terminate(), pongWithinMs)
    })
    socket.once('close', () => {
      clearInterval(ping)
      clearTimeout(deadline)
    })
  }

  /** What nobody has taken to write yet. */
  get queuedMessages(): number {
    return this.#queue.length
  }

  onMessage(take: (data: Buffer, isBinary: boolean) => void): void {
    this.#socket.on('message', (data: RawData, isBinary: boolean) => take(messageBytes(data), isBinary))
  }

  onClosed(act: () => void): void {
    this.#socket.once('close', act)
  }

  stopReading(): void {
    this.#socket.pause()
  }

  readOn(): void {
    this.#socket.resume()
  }

  cut(): void {
    this.#socket.terminate()
  }

  send(data: Buffer, isBinary: boolean): void {
    this.#queue.push({ data, isBinary })
    if (!this.#isWriting) this.#writeNext()
  }

  #writeNext(): void {
    for (;;) {
      const next = this.#queue.shift()
      if (next === undefined) return
      this.#write(next)
      // What the system takes at once was never in the queue of a writer that runs beside the hub.
      if (this.#socket.bufferedAmount > 0) break
    }
    this.#isWriting = true
  }

  #write({ data, isBinary }: Queued): void {
    const done = (): void => {
      if (!this.#isWriting || this.#socket.bufferedAmount > 0) return
      this.#isWriting = false
      this.#writeNext()
    }
    if (!this.#writesTwoFrames || data.length <= bufferBytes) {
      this.#socket.send(data, { binary: isBinary }, done)
    } else if (data.length > longMessageBytes) {
      this.#socket.send(data, { binary: isBinary, fin: false })
      this.#socket.send(Buffer.alloc(0), { fin: true }, done)
    } else {
      const cuts = Math.ceil(data.length / bufferBytes)
      for (let index = 0; index < cuts; index += 1) {
        const frame = data.subarray(index * bufferBytes, (index + 1) * bufferBytes)
        this.#socket.send(frame, { binary: isBinary, fin: index === cuts - 1 }, done)
      }
    }
  }
}
