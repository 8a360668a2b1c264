import { AppError, errorCode } from '@relay/common/errors'
import { readStart } from '@relay/common/read-start'

/** Absolute names; '' for none. */
export interface BrokerFileNames {
  readonly passwordFile: string
  readonly caFile: string
  readonly certFile: string
  readonly keyFile: string
}

/** What stands in them; undefined where there is none. */
export interface BrokerFiles {
  readonly password: string | undefined
  readonly ca: Buffer | undefined
  readonly cert: Buffer | undefined
  readonly key: Buffer | undefined
}

const maxPasswordBytes = 4096
/** Certificates are some kilobytes; a file that is longer is another file. */
const maxPemBytes = 262_144

/**
 * Reads the files of a broker, anew at each attempt, so that a new one needs no restart.
 * @throws {AppError} `MQTT_FILE_UNREADABLE`, `MQTT_FILE_WRONG`; none shows the content.
 */
export async function readBrokerFiles(names: BrokerFileNames): Promise<BrokerFiles> {
  const [password, ca, cert, key] = await Promise.all([
    readPassword(names.passwordFile),
    readPem(names.caFile, 'caFile'),
    readPem(names.certFile, 'certFile'),
    readPem(names.keyFile, 'keyFile'),
  ])
  return { password, ca, cert, key }
}

/** The fault where a disk hangs. Pure. */
export function filesHang(): AppError {
  return new AppError(
    'MQTT_FILE_UNREADABLE',
    'the disk with passwordFile, caFile, certFile or keyFile does not answer',
  )
}

async function readPassword(path: string): Promise<string | undefined> {
  if (path === '') return undefined
  const content = await read(path, 'passwordFile', maxPasswordBytes)
  const password = content.toString('utf8').replace(/\r?\n$/, '')
  if (password === '' || /[\r\n]/.test(password) || content.length > maxPasswordBytes)
    throw new AppError(
      'MQTT_FILE_WRONG',
      `passwordFile: the file ${path} does not hold one password on one line`,
    )
  return password
}

async function readPem(path: string, key: string): Promise<Buffer | undefined> {
  if (path === '') return undefined
  const content = await read(path, key, maxPemBytes)
  if (content.length > maxPemBytes || !content.includes('-----BEGIN '))
    throw new AppError('MQTT_FILE_WRONG', `${key}: the file ${path} holds no PEM ("-----BEGIN …")`)
  return content
}

/** One byte more than it may have tells that it is too long. */
async function read(path: string, key: string, maxBytes: number): Promise<Buffer> {
  try {
    return await readStart(path, maxBytes + 1)
  } catch (cause) {
    throw new AppError(
      'MQTT_FILE_UNREADABLE',
      `${key}: the file ${path} ${errorCode(cause) === 'ENOENT' ? 'does not exist' : 'cannot be read'}`,
      { cause },
    )
  }
}
