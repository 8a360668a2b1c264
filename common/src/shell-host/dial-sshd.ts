import { connect, type Socket } from 'node:net'
import { AppError, errorCode } from '../errors.ts'
import { hostAndPort, type SshdAddress } from './host-and-port.ts'

export interface DialSshdOptions extends SshdAddress {
  /** For everything; sshd's kernel answers at once, whatever sshd does. */
  readonly withinMs: number
  readonly signal: AbortSignal
}

/**
 * A connection to sshd that nothing was read from yet, and of which either side can end alone.
 * @throws {AppError} `SSHD_UNREACHABLE`, whose message is for the person who wants in.
 */
export function dialSshd({ host, port, withinMs, signal }: DialSshdOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true, autoSelectFamily: true })
    const finish = (act: () => void): void => {
      clearTimeout(deadline)
      signal.removeEventListener('abort', giveUp)
      socket.removeListener('error', failed)
      act()
    }
    const fail = (why: string, cause?: unknown): void =>
      finish(() => {
        // What it says from now on is nobody's concern.
        socket.on('error', () => undefined)
        socket.destroy()
        const message = `sshd at ${hostAndPort({ host, port })} of the experiment ${why}`
        reject(new AppError('SSHD_UNREACHABLE', message, { cause }))
      })
    const failed = (cause: unknown): void => fail(reasonOf(cause), cause)
    const giveUp = (): void => fail('was not waited for, as the shell host stopped')
    const deadline = setTimeout(() => fail(`did not answer within ${withinMs / 1000} s`), withinMs)
    signal.addEventListener('abort', giveUp, { once: true })
    socket.on('error', failed)
    socket.on('connect', () =>
      finish(() => {
        // Whoever gets it may take it over only later; until then nobody would hear of a fault.
        socket.on('error', () => undefined)
        resolve(socket)
      }),
    )
    if (signal.aborted) giveUp()
  })
}

function reasonOf(error: unknown): string {
  const code = codeOf(error)
  switch (code) {
    case 'ECONNREFUSED':
      return 'refuses connections: is it running there, at this port?'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'has a name that is not found'
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `has no way to it (${code})`
    case 'ETIMEDOUT':
      return 'does not answer'
    default:
      return `cannot be reached (${code ?? 'no code'})`
  }
}

/** Of several addresses the last tells most: the first is the one of the family that may not be in use at all. */
function codeOf(error: unknown): string | undefined {
  return errorCode(error instanceof AggregateError ? (error.errors.at(-1) ?? error) : error)
}
