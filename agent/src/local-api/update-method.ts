import type { LocalConnection } from './local-connection.ts'
import type { Socket } from 'node:net'

/** How long the rest of the word UPDATE may take. */
const wordTimeoutMs = 2_000
/** The parser stops at the second letter: no method it knows begins with UP. */
const restOfWord = Buffer.from('PDATE ')

/** What the HTTP parser says about bytes it cannot read. */
export interface ParserError {
  readonly code?: string
  readonly rawPacket?: Buffer
  readonly bytesParsed?: number
}

export type UpdateVerdict = 'update' | 'unfinished' | 'other'

/** Says whether the bytes from `failedAt` on, where the parser failed, are an UPDATE without its first letter. */
export function judgeMethod(packet: Buffer, failedAt: number): UpdateVerdict {
  if (failedAt > 0 && packet[failedAt - 1] !== 0x55) return 'other'
  const rest = packet.subarray(failedAt, failedAt + restOfWord.length)
  if (rest.length === 0 || !rest.equals(restOfWord.subarray(0, rest.length))) return 'other'
  return rest.length === restOfWord.length ? 'update' : 'unfinished'
}

/**
 * Goes on with a connection whose parser failed at the method UPDATE, as if PUT had come: on every path of this API
 * both do the same (spec session 7.1). `reconnect` gets the socket and the bytes to be parsed first. False: it was
 * something else, and nothing was done.
 */
export function resumeAfterUpdate(
  connection: LocalConnection,
  { code, rawPacket, bytesParsed }: ParserError,
  reconnect: (socket: Socket, ahead: Buffer) => void,
): boolean {
  if (code !== 'HPE_INVALID_METHOD' || rawPacket === undefined || bytesParsed === undefined) return false
  const verdict = judgeMethod(rawPacket, bytesParsed)
  if (verdict === 'other') return false
  const { socket, unread } = connection.release()
  const rest = Buffer.concat([rawPacket.subarray(bytesParsed), unread])
  connection.whenAnswered(() => {
    connection.destroy()
    readWord(socket, rest, reconnect)
  })
  return true
}

/** Reads until the word is complete, or proves to be another one, or takes too long. */
function readWord(socket: Socket, rest: Buffer, reconnect: (socket: Socket, ahead: Buffer) => void): void {
  const verdict = judgeMethod(rest, 0)
  if (verdict === 'update') {
    reconnect(socket, Buffer.concat([Buffer.from('PUT '), rest.subarray(restOfWord.length)]))
    return
  }
  if (verdict === 'other' || socket.destroyed || socket.readableEnded) {
    socket.destroy()
    return
  }
  const stop = (): void => {
    clearTimeout(deadline)
    socket.off('data', more)
    socket.off('end', giveUp)
    socket.off('close', giveUp)
  }
  const giveUp = (): void => {
    stop()
    socket.destroy()
  }
  const more = (chunk: Buffer): void => {
    socket.pause()
    stop()
    readWord(socket, Buffer.concat([rest, chunk]), reconnect)
  }
  const deadline = setTimeout(giveUp, wordTimeoutMs)
  socket.on('data', more)
  socket.on('end', giveUp)
  socket.on('close', giveUp)
  socket.resume()
}
