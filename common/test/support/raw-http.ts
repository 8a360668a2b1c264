import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface RawRequest {
  readonly method?: string
  /** Written as it is, nothing cleaned. */
  readonly target: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Sends a request byte for byte and reads until the peer closes; undefined where it closes without an answer. */
export async function rawHttp(port: number, request: RawRequest): Promise<RawAnswer | undefined> {
  const { method = 'GET', target, headers = {}, body } = request
  const lines = Object.entries({
    Host: 'localhost',
    Connection: 'close',
    ...(body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  const text = await rawExchange(port, `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n${body ?? ''}`)
  return text === '' ? undefined : parseAnswer(text)
}

/** Sends bytes and gives everything that comes until the peer closes, at most after `withinMs`. */
export async function rawExchange(port: number, bytes: string | Buffer, withinMs = 10_000): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  socket.on('error', () => {})
  const timer = setTimeout(() => socket.destroy(), withinMs)
  socket.write(bytes)
  await once(socket, 'close')
  clearTimeout(timer)
  return Buffer.concat(chunks).toString('utf8')
}

/** The request line and headers of a good websocket handshake, with others on top. */
export function handshake(
  target: string,
  more: Readonly<Record<string, string>> = {},
  method = 'GET',
): string {
  const headers = {
    Host: 'localhost',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...more,
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`
}

/** Opens a websocket on a bare socket, which then carries frames; the answer stands in `answer`. */
export async function rawUpgrade(
  address: string,
): Promise<{ readonly socket: Socket; readonly answer: string }> {
  const url = new URL(address)
  const socket = connect(Number(url.port), '127.0.0.1')
  socket.on('error', () => {})
  socket.write(handshake(`${url.pathname}${url.search}`))
  let answer = ''
  while (!answer.includes('\r\n\r\n')) {
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    answer += chunk.toString('latin1')
  }
  return { socket, answer }
}

function parseAnswer(text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n')
  const [first = '', ...lines] = text.slice(0, end).split('\r\n')
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
  }
  return { status: Number(first.split(' ')[1]), headers, body: text.slice(end + 4) }
}
