import { connect, type Socket } from 'node:net'
import { AppError, describeError } from '@relay/common/errors'
import { type HttpResponse, HttpResponseParser } from './http-response-parser.ts'

/** A header line as it is written; the same name may stand several times. */
export type HeaderLine = readonly [name: string, value: string]

export interface RawRequest {
  readonly port: number
  readonly method: string
  /** Written as it is: no cleaning, no escaping. */
  readonly path: string
  readonly headers: readonly HeaderLine[]
  readonly body?: Buffer
}

export type HttpOutcome =
  | { readonly kind: 'answered'; readonly response: HttpResponse }
  /** The peer closed before its answer was complete. */
  | { readonly kind: 'dropped'; readonly receivedBytes: number }
  /** Nothing complete came in time, and the connection is open. */
  | { readonly kind: 'silent' }

/** Everything listens on loopback. */
export const loopback = '127.0.0.1'

/** Connects within the time or throws `GOLDEN_CONNECT`. */
export function openSocket(port: number, withinMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: loopback, port, noDelay: true })
    const fail = (cause: unknown): void => {
      clearTimeout(timer)
      socket.destroy()
      const why = `cannot connect to port ${String(port)}: ${describeError(cause)}`
      reject(new AppError('GOLDEN_CONNECT', why, { cause }))
    }
    const timer = setTimeout(() => fail('no answer in time'), withinMs)
    socket.once('error', fail)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', fail)
      resolve(socket)
    })
  })
}

/** The bytes of a request head: a Host line unless one is given, then the lines as they are. */
export function encodeRequestHead({ port, method, path, headers }: Omit<RawRequest, 'body'>): Buffer {
  const hasHost = headers.some(([name]) => name.toLowerCase() === 'host')
  const host: readonly HeaderLine[] = hasHost ? [] : [['Host', `${loopback}:${String(port)}`]]
  const lines = [...host, ...headers].map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
}

/**
 * Reads one answer. The socket is handed back as it is, paused and without our listeners, so that a 101 can become a
 * websocket.
 */
export function readResponse(
  socket: Socket,
  { isHead, withinMs }: { readonly isHead: boolean; readonly withinMs: number },
): Promise<HttpOutcome> {
  const parser = new HttpResponseParser({ isHead })
  if (socket.destroyed) return Promise.resolve({ kind: 'dropped', receivedBytes: 0 })
  return new Promise((resolve, reject) => {
    const finish = (outcome: HttpOutcome): void => {
      release()
      resolve(outcome)
    }
    const take = (parse: () => HttpResponse | undefined, otherwise?: HttpOutcome): void => {
      try {
        const response = parse()
        if (response !== undefined) finish({ kind: 'answered', response })
        else if (otherwise !== undefined) finish(otherwise)
      } catch (error) {
        release()
        reject(error)
      }
    }
    const onData = (chunk: Buffer): void => take(() => parser.push(chunk))
    const onEnd = (): void =>
      take(() => parser.end(), { kind: 'dropped', receivedBytes: parser.receivedBytes })
    const timer = setTimeout(() => finish({ kind: 'silent' }), withinMs)
    const release = (): void => {
      clearTimeout(timer)
      socket.pause()
      socket.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', onEnd)
    }
    socket.on('data', onData).on('end', onEnd).on('close', onEnd).on('error', onEnd)
    socket.resume()
  })
}

/** Sends one request on a connection of its own, reads the answer and closes. */
export async function exchange(request: RawRequest, withinMs: number): Promise<HttpOutcome> {
  const socket = await openSocket(request.port, withinMs)
  // A peer that answers early and closes makes our writing fail; the answer tells what matters.
  socket.on('error', () => {})
  try {
    const head = encodeRequestHead(request)
    socket.write(request.body === undefined ? head : Buffer.concat([head, request.body]))
    return await readResponse(socket, { isHead: request.method === 'HEAD', withinMs })
  } finally {
    socket.destroy()
  }
}

/** One chunk of a chunked body (RFC 9112 section 7.1). */
export function encodeChunk(data: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from('\r\n')])
}

/** The end of a chunked body. */
export const lastChunk = Buffer.from('0\r\n\r\n')
