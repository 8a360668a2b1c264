import { readSecretLines } from './read-secret-lines.ts'

/**
 * The first secret or token in a file.
 * @throws {ConfigError} `SECRET_FILE_UNREADABLE`, `SECRET_EMPTY`.
 */
export async function readSecretFile(path: string): Promise<string> {
  const [first] = await readSecretLines(path)
  return first
}
