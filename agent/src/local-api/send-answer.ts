import type { IncomingMessage } from 'node:http'
import type { Clock } from '@relay/common/clock'
import type { Answer } from './answer.ts'
import type { Exchange } from './local-connection.ts'

export interface SendOptions {
  /** False: the client may still be sending, and the connection ends with this answer. */
  readonly isBodyRead: boolean
  /** A client that does not take its answer within this time is cut. */
  readonly timeoutMs: number
  readonly clock: Clock
}

/** Sends one answer. A request whose body nobody wanted does not keep its connection. */
export function sendAnswer(
  { request, response }: Exchange,
  { status, headers = {}, body = '' }: Answer,
  { isBodyRead, timeoutMs, clock }: SendOptions,
): void {
  if (response.destroyed || response.headersSent) return
  if (!isBodyRead && hasBody(request)) response.shouldKeepAlive = false
  const cancel = clock.after(timeoutMs, () => void request.socket.destroy())
  response.once('close', cancel)
  response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) })
  response.end(body)
}

function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length']
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')
}
