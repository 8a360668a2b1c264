import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  encodeChunk,
  encodeRequestHead,
  type HttpOutcome,
  lastChunk,
  openSocket,
  readResponse,
} from './raw-http.ts'

/** ffmpeg's pieces come this far apart in the transcripts, so that each is a message of its own. */
const betweenPiecesMs = 60

/** A chunked upload that stays open between writes, as ffmpeg's does. */
export class TsUpload {
  readonly #socket: Socket

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', () => {})
  }

  static async open({
    port,
    path,
    withinMs,
  }: {
    readonly port: number
    readonly path: string
    readonly withinMs: number
  }): Promise<TsUpload> {
    const socket = await openSocket(port, withinMs)
    const headers = [
      ['User-Agent', 'Lavf/59.27.100'],
      ['Transfer-Encoding', 'chunked'],
      ['Accept', '*/*'],
    ] as const
    socket.write(encodeRequestHead({ port, method: 'POST', path, headers }))
    return new TsUpload(socket)
  }

  /** Sends each piece as a chunk of its own. Resolves after the pause that follows the last. */
  async write(pieces: readonly Buffer[]): Promise<void> {
    for (const piece of pieces) {
      this.#socket.write(encodeChunk(piece))
      await sleep(betweenPiecesMs)
    }
  }

  /** Ends the body and waits for the answer. */
  end(withinMs: number): Promise<HttpOutcome> {
    this.#socket.write(lastChunk)
    return readResponse(this.#socket, { isHead: false, withinMs })
  }

  /** Drops the connection in the middle of the body. */
  abort(): void {
    this.#socket.destroy()
  }
}
