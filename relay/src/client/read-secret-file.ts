import { readFile } from 'node:fs/promises'
import { ConfigError } from '@relay/common/errors'

/**
 * The first line of a file that holds a secret or a token.
 * @throws {ConfigError} `SECRET_FILE_UNREADABLE`, `SECRET_EMPTY`.
 */
export async function readSecretFile(path: string): Promise<string> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new ConfigError('SECRET_FILE_UNREADABLE', `the file ${path} cannot be read`, { cause })
  }
  const line = (text.split(/\r?\n/, 1)[0] ?? '').trim()
  if (line === '') throw new ConfigError('SECRET_EMPTY', `the first line of ${path} is empty`)
  return line
}
