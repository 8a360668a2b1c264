import { readFile } from 'node:fs/promises'
import { isIP, connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import type { Clock } from '@relay/common/clock'
import { AppError, errorCode } from '@relay/common/errors'
import { type BrokerNames, connectionFault, tlsFault } from './broker-fault.ts'

/** Where a broker is and by what the two know each other; files by absolute name, '' for none. */
export interface BrokerAddress {
  readonly host: string
  readonly port: number
  readonly isTls: boolean
  readonly caFile: string
  readonly certFile: string
  readonly keyFile: string
}

export interface DialOptions {
  readonly address: BrokerAddress
  readonly names: BrokerNames
  readonly timeoutMs: number
}

/** Certificates are some kilobytes; a file that is longer is another file. */
const maxFileBytes = 262_144

/**
 * Opens a connection to a broker, with TLS where it is wanted; certificates are always checked.
 * @throws {AppError} `MQTT_UNREACHABLE`, `MQTT_CERTIFICATE_REFUSED`, `MQTT_CLIENT_CERTIFICATE_REFUSED`,
 *   `MQTT_TLS_FAILED`, `MQTT_LOST`, `MQTT_FILE_UNREADABLE`, `MQTT_FILE_WRONG`, `ABORTED`.
 */
export async function dialBroker(options: DialOptions, clock: Clock, signal: AbortSignal): Promise<Socket> {
  const { address, names, timeoutMs } = options
  const files = address.isTls ? await readFiles(address) : {}
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

type TlsFiles = Pick<ConnectionOptions, 'ca' | 'cert' | 'key'>

async function readFiles({ caFile, certFile, keyFile }: BrokerAddress): Promise<TlsFiles> {
  const [ca, cert, key] = await Promise.all([
    readPem(caFile, 'caFile'),
    readPem(certFile, 'certFile'),
    readPem(keyFile, 'keyFile'),
  ])
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  }
}

function openTls({ host, port }: BrokerAddress, files: TlsFiles): Socket {
  try {
    return connectTls({
      host,
      port,
      ...files,
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

async function readPem(path: string, key: string): Promise<Buffer | undefined> {
  if (path === '') return undefined
  let content: Buffer
  try {
    content = await readFile(path)
  } catch (cause) {
    throw new AppError(
      'MQTT_FILE_UNREADABLE',
      `${key}: the file ${path} ${errorCode(cause) === 'ENOENT' ? 'does not exist' : 'cannot be read'}`,
      { cause },
    )
  }
  if (content.length > maxFileBytes || !content.includes('-----BEGIN '))
    throw new AppError('MQTT_FILE_WRONG', `${key}: the file ${path} holds no PEM ("-----BEGIN …")`)
  return content
}
