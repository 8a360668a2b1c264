import { isIP, connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Clock } from '@relay/common/clock'
import { AppError, errorCode } from '@relay/common/errors'
import type { BrokerFiles } from './broker-files.ts'
import { type BrokerNames, connectionFault, tlsFault } from './broker-fault.ts'

export interface BrokerAddress {
  readonly host: string
  readonly port: number
  readonly isTls: boolean
}

export interface DialOptions {
  readonly address: BrokerAddress
  readonly names: BrokerNames
  /** By which the two know each other. */
  readonly files: TlsFiles
  readonly timeoutMs: number
}

type TlsFiles = Pick<BrokerFiles, 'ca' | 'cert' | 'key'>

/**
 * Opens a connection to a broker, with TLS where it is wanted; certificates are always checked.
 * @throws {AppError} `MQTT_UNREACHABLE`, `MQTT_CERTIFICATE_REFUSED`, `MQTT_CLIENT_CERTIFICATE_REFUSED`,
 *   `MQTT_TLS_FAILED`, `MQTT_LOST`, `MQTT_FILE_WRONG`, `ABORTED`.
 */
export async function dialBroker(options: DialOptions, clock: Clock, signal: AbortSignal): Promise<Socket> {
  const { address, names, files, timeoutMs } = options
  return await new Promise((resolve, reject) => {
    const socket = address.isTls ? openTls(address, files) : connectTcp(address.port, address.host)
    const fail = (error: AppError): void => {
      settle()
      socket.destroy()
      reject(error)
    }
    let isOpen = false
    socket.once('connect', () => {
      isOpen = true
    })
    const onError = (error: Error): void => {
      // Who speaks no TLS hangs up on its first words.
      const isHungUp = isOpen && errorCode(error) === 'ECONNRESET'
      fail(isHungUp ? tlsFault(error, names) : connectionFault(error, names))
    }
    const onClose = (): void => fail(tlsFault(undefined, names))
    const onAbort = (): void => fail(new AppError('ABORTED', 'connecting to the broker was given up'))
    const cancel = clock.after(timeoutMs, () =>
      fail(
        new AppError(
          'MQTT_UNREACHABLE',
          `the broker ${names.broker} cannot be reached: no answer within ${timeoutMs / 1000} s`,
        ),
      ),
    )
    const settle = (): void => {
      cancel()
      signal.removeEventListener('abort', onAbort)
      socket.off('error', onError)
      socket.off('close', onClose)
      // A socket that was given up may still say why.
      socket.on('error', () => undefined)
    }
    socket.on('error', onError)
    socket.on('close', onClose)
    signal.addEventListener('abort', onAbort, { once: true })
    socket.once(address.isTls ? 'secureConnect' : 'connect', () => {
      settle()
      socket.setNoDelay(true)
      resolve(socket)
    })
    if (signal.aborted) onAbort()
  })
}

function openTls({ host, port }: BrokerAddress, { ca, cert, key }: TlsFiles): Socket {
  try {
    return connectTls({
      host,
      port,
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(isIP(host) === 0 ? { servername: host } : {}),
      rejectUnauthorized: true,
    })
  } catch (cause) {
    // The reason alone: a text of OpenSSL never shows the key.
    throw new AppError(
      'MQTT_FILE_WRONG',
      'caFile, certFile and keyFile do not hold what they should: PEM, and a key that belongs to the certificate',
      { details: { reason: errorCode(cause) ?? '' } },
    )
  }
}
