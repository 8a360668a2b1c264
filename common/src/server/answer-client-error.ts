import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'

/** How long a refused peer may take to read the answer. */
const lingerMs = 2000

/** Answers on a bare socket and closes it, at the latest after a short while. */
export function writeRawAnswer(
  socket: Duplex,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string,
): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
  // What the peer still sends is thrown away; without reading, the close would reset the answer.
  socket.resume()
  const timer = setTimeout(() => socket.destroy(), lingerMs)
  socket.once('close', () => clearTimeout(timer))
}

/** What cannot be read as a request at all: the status in words, as Go answers, and the end of the connection. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const status = clientErrorStatus(error.code)
  writeRawAnswer(
    socket,
    status,
    { 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' },
    `${status} ${STATUS_CODES[status] ?? ''}`,
  )
}

function clientErrorStatus(code: string | undefined): number {
  if (code === 'HPE_HEADER_OVERFLOW') return 431
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
}
