import { connect, type Socket } from 'node:net'
import { seededRandom } from '../rig/mutated-bytes.ts'
import { fillBytes } from '../shell-golden/payload-bytes.ts'

const patienceMs = 60_000

/** A TCP connection through a tunnel, as ssh would hold it, that reads what it expects and nothing else. */
export class TunnelTalk implements Disposable {
  readonly socket: Socket
  readonly #chunks: Buffer[] = []
  #bufferedBytes = 0
  #wake: () => void = () => undefined
  #ended: string | undefined

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk)
      this.#bufferedBytes += chunk.length
      this.#wake()
    })
    socket.on('end', () => this.#onEnd('end of stream'))
    socket.on('error', (error) => this.#onEnd(error.message))
    socket.on('close', () => this.#onEnd('closed'))
  }

  static async open(port: number, host = '127.0.0.1'): Promise<TunnelTalk> {
    const socket = connect({ port, host, noDelay: true, allowHalfOpen: true })
    const connected = Promise.withResolvers<void>()
    socket.once('connect', connected.resolve).once('error', connected.reject)
    await connected.promise
    return new TunnelTalk(socket)
  }

  /** Why nothing more will come; undefined while something may. */
  get ended(): string | undefined {
    return this.#ended
  }

  /** Exactly so many bytes. Rejects when the stream ends or the time is over before. */
  async read(length: number, withinMs = patienceMs): Promise<Buffer> {
    await this.#wait(() => this.#bufferedBytes >= length, withinMs, `${String(length)} bytes`)
    const all = Buffer.concat(this.#chunks)
    this.#chunks.splice(0, this.#chunks.length, all.subarray(length))
    this.#bufferedBytes = all.length - length
    return all.subarray(0, length)
  }

  /** Waits for the end of the stream or of the connection, and says which. */
  async whenEnded(withinMs = patienceMs): Promise<string> {
    await this.#wait(() => this.#ended !== undefined, withinMs, 'the end').catch((error: unknown) => {
      if (this.#ended === undefined) throw error
    })
    return this.#ended ?? ''
  }

  /**
   * Sends blocks and wants each back before the next goes out. Old ends lose what exceeds 1 MiB between two pauses, so that
   * `blockBytes` must stay below.
   */
  async echo({ blocks, blockBytes, seed }: EchoPlan): Promise<void> {
    const random = seededRandom(seed)
    for (let index = 0; index < blocks; index += 1) {
      const size = 1 + Math.floor(random() * blockBytes)
      const block = fillBytes({ size, seed: Math.floor(random() * 256) })
      this.socket.write(block)
      const back = await this.read(size)
      if (!back.equals(block))
        throw new Error(`block ${String(index)} of ${String(size)} bytes came back wrong`)
    }
  }

  [Symbol.dispose](): void {
    this.socket.destroy()
  }

  #onEnd(why: string): void {
    this.#ended ??= why
    this.#wake()
  }

  async #wait(isTrue: () => boolean, withinMs: number, what: string): Promise<void> {
    const giveUpAtMs = performance.now() + withinMs
    while (!isTrue()) {
      if (this.#ended !== undefined) throw new Error(`${this.#ended} while waiting for ${what}`)
      const leftMs = giveUpAtMs - performance.now()
      if (leftMs <= 0)
        throw new Error(`${what} did not come in time; ${String(this.#bufferedBytes)} bytes are there`)
      const woken = Promise.withResolvers<void>()
      this.#wake = woken.resolve
      const timer = setTimeout(woken.resolve, leftMs)
      await woken.promise
      clearTimeout(timer)
    }
  }
}

export interface EchoPlan {
  readonly blocks: number
  /** The most bytes of a block. */
  readonly blockBytes: number
  readonly seed: number
}
