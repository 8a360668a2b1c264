import { readFile } from 'node:fs/promises'
import { ConfigError } from './errors.ts'

/**
 * The secrets or tokens in a file, one in each line. Blanks around a line are no part of it, and lines of blanks say
 * nothing.
 * @throws {ConfigError} `SECRET_FILE_UNREADABLE`, `SECRET_EMPTY` where there is none.
 */
export async function readSecretLines(path: string): Promise<readonly [string, ...string[]]> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new ConfigError('SECRET_FILE_UNREADABLE', `the file ${path} cannot be read`, { cause })
  }
  const [first, ...others] = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  if (first === undefined) throw new ConfigError('SECRET_EMPTY', `the file ${path} is empty`)
  return [first, ...others]
}
