import { open } from 'node:fs/promises'
import { AppError, errorCode } from '@relay/common/errors'

const maxPasswordBytes = 4096

/**
 * The password in the first line of a file, read at each attempt so that a new one needs no restart; undefined for ''.
 * @throws {AppError} `MQTT_FILE_UNREADABLE`, `MQTT_FILE_WRONG`; none shows the content.
 */
export async function readPassword(path: string): Promise<string | undefined> {
  if (path === '') return undefined
  let text: string
  try {
    await using file = await open(path, 'r')
    const buffer = Buffer.alloc(maxPasswordBytes + 1)
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0)
    text = buffer.toString('utf8', 0, bytesRead)
  } catch (cause) {
    throw new AppError(
      'MQTT_FILE_UNREADABLE',
      `passwordFile: the file ${path} ${errorCode(cause) === 'ENOENT' ? 'does not exist' : 'cannot be read'}`,
      { cause },
    )
  }
  const password = text.replace(/\r?\n$/, '')
  if (password === '' || /[\r\n]/.test(password) || text.length > maxPasswordBytes)
    throw new AppError(
      'MQTT_FILE_WRONG',
      `passwordFile: the file ${path} does not hold one password on one line`,
    )
  return password
}
