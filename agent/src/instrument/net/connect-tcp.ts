import { connect, type Socket } from 'node:net'
import type { Clock } from '@relay/common/clock'
import { AppError } from '@relay/common/errors'

export interface TcpTarget {
  readonly host: string
  readonly port: number
  /** As it was configured, for people. */
  readonly address: string
}

/** With looking up the name. */
export const connectWithinMs = 5_000
/** The kernel asks an idle connection after so long, and gives it up ten unanswered seconds later. */
const keepAliveAfterMs = 10_000

/**
 * Connects, with keepalive, so that an other end that is gone without a word is noticed.
 * @throws {AppError} `INSTRUMENT_UNREACHABLE`.
 */
export async function connectTcp(target: TcpTarget, clock: Clock, signal: AbortSignal): Promise<Socket> {
  const { host, port, address } = target
  const socket = connect({
    host,
    port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveAfterMs,
  })
  const given = Promise.withResolvers<void>()
  const stop = (): void => given.reject(unreachable(address, new Error('it is not wanted any more')))
  const late = (): void =>
    given.reject(unreachable(address, new Error(`no answer within ${connectWithinMs / 1000} s`)))
  const onError = (cause: Error): void => given.reject(unreachable(address, cause))
  const cancel = clock.after(connectWithinMs, late)
  socket.once('connect', given.resolve)
  socket.on('error', onError)
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  try {
    await given.promise
    // Errors come again as `close`; without a listener they would end the process.
    socket.on('error', () => undefined)
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    cancel()
    signal.removeEventListener('abort', stop)
  }
}

function unreachable(address: string, cause: Error): AppError {
  return new AppError('INSTRUMENT_UNREACHABLE', `${address} cannot be reached`, { cause })
}

/** Ends a connection in order, so that a server for one user at a time is free again; never waits long. */
export async function endSocket(socket: Socket, clock: Clock): Promise<void> {
  if (socket.destroyed) return
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  const waiting = new AbortController()
  socket.end()
  await Promise.race([closed, clock.sleep(endWithinMs, waiting.signal)])
  waiting.abort()
  socket.destroy()
}

const endWithinMs = 500
