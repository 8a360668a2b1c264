import type { Server } from 'node:net'
import { errorCode, UnavailableError } from './errors.ts'

export interface ListenOptions {
  /** 0 takes a free port. */
  readonly port: number
  /** Undefined: every address, IPv4 and IPv6. */
  readonly host?: string | undefined
  /** What listens there, in the words of the user: "the access API". */
  readonly what: string
  /** A socket that listens already, such as systemd hands over; host and port are not looked at then. */
  readonly fd?: number | undefined
}

/** Those who wait to be taken in; Node would make the queue of a socket that is handed over shorter than it is. */
const inheritedBacklog = 4_096

/**
 * Starts listening and gives the port.
 * @throws {UnavailableError} `PORT_IN_USE`, `PORT_FORBIDDEN` or `LISTEN_FAILED`, with a sentence that says what to do.
 */
export async function listen(server: Server, { port, host, what, fd }: ListenOptions): Promise<number> {
  try {
    await new Promise<void>((resolve, reject) => {
      const listening = (): void => {
        server.off('error', failed)
        resolve()
      }
      const failed = (error: Error): void => {
        server.off('listening', listening)
        reject(error)
      }
      server.once('error', failed).once('listening', listening)
      server.listen(
        fd === undefined
          ? { port, ...(host === undefined ? {} : { host }) }
          : { fd, backlog: inheritedBacklog },
      )
    })
  } catch (cause) {
    throw listenError(cause, { port, host, what, fd })
  }
  const address = server.address()
  // A unix socket that was handed over has no port.
  return typeof address === 'object' && address !== null ? (address.port ?? port) : port
}

function listenError(cause: unknown, { port, host, what, fd }: ListenOptions): UnavailableError {
  if (fd !== undefined)
    return new UnavailableError('LISTEN_FAILED', `${what}: the socket that was handed over is of no use`, {
      cause,
    })
  const where = `${what}: port ${port}${host === undefined ? '' : ` of ${host}`}`
  switch (errorCode(cause)) {
    case 'EADDRINUSE':
      return new UnavailableError(
        'PORT_IN_USE',
        `${where} is in use by another program; stop it or choose another port`,
      )
    case 'EACCES':
      return new UnavailableError('PORT_FORBIDDEN', `${where} needs privileges; choose one above 1023`)
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new UnavailableError(
        'LISTEN_FAILED',
        `${where} cannot be opened: this machine has no such address; choose one of its own, or 0.0.0.0 for all`,
      )
    default:
      return new UnavailableError('LISTEN_FAILED', `${where} cannot be opened`, { cause })
  }
}
