import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AppError, ConfigError, errorCode } from '@relay/common/errors'
import { mergeKnownHosts, type NamedKeys, type OutdatedKeys } from './known-hosts-text.ts'

export interface SshFiles {
  /** The text of the configuration, given where the host keys will lie. */
  readonly configText: (knownHostsFile: string) => string
  readonly keys: readonly NamedKeys[]
}

export interface WrittenSshFiles {
  readonly config: string
  readonly knownHosts: string
  readonly conflicts: readonly string[]
  readonly outdated: readonly OutdatedKeys[]
  readonly replaced: readonly string[]
}

/** First line of our `config`: only what bears it is replaced. */
const mark = '# Written by "shell config --write", which replaces this file.'

/**
 * Writes `config` and `known_hosts` into a folder, which is made where it is missing. Each file is there in whole, old
 * or new, at any moment. A `config` that we did not write, such as that of `~/.ssh`, stays as it is, and so does all.
 * @throws {ConfigError} `CONFIG_NOT_OURS`.
 * @throws {AppError} `WRITE_FAILED`.
 */
export async function writeSshFiles(
  directory: string,
  { configText, keys }: SshFiles,
): Promise<WrittenSshFiles> {
  const config = join(directory, 'config')
  const knownHosts = join(directory, 'known_hosts')
  try {
    await makeFolder(directory)
    const present = await readIfThere(config)
    if (present.trim() !== '' && !present.startsWith(mark))
      throw new ConfigError(
        'CONFIG_NOT_OURS',
        `${config} was not written by "shell config" and stays as it is; name another folder`,
      )
    const merged = mergeKnownHosts(await readIfThere(knownHosts), keys)
    await replaceFile(knownHosts, merged.text)
    await replaceFile(config, `${mark}\n\n${configText(knownHosts)}`)
    const { conflicts, outdated, replaced } = merged
    return { config, knownHosts, conflicts, outdated, replaced }
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    throw new AppError('WRITE_FAILED', `the files for ssh cannot be written into ${directory}`, { cause })
  }
}

/** With those above it. The library's own way to do so goes round for ever where a folder takes none (nodejs: `/proc`). */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    // What is there and is no folder shows when a file in it is opened.
    if (errorCode(error) === 'EEXIST') return
    if (errorCode(error) !== 'ENOENT' || dirname(path) === path) throw error
    await makeFolder(dirname(path))
    await mkdir(path, { mode: 0o700 })
  }
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return ''
    throw error
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}`
  try {
    await using file = await open(temporary, 'wx', 0o600)
    await file.writeFile(text)
    await file.sync()
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}
