import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AppError, errorCode, UnavailableError } from '@relay/common/errors'
import type { Redactor } from './redact.ts'

export interface BundleEntry {
  /** Name of the file in the archive. */
  readonly name: string
  /** What it holds, for people. */
  readonly about: string
  readonly text: string
}

export interface WriteBundleOptions {
  /** Path of the archive; must not exist. */
  readonly path: string
  /** The one directory in it. */
  readonly directoryName: string
  readonly entries: readonly BundleEntry[]
  readonly redactor: Redactor
  readonly signal: AbortSignal
  /** Where a private directory is made for the time being. Default: that of the system. */
  readonly temporaryDirectory?: string
}

const maxEntryBytes = 524_288
const tarWithinMs = 60_000

/**
 * Writes a `tar.gz`, readable by its owner alone, in which every text has gone through the redactor. Never overwrites; what is half
 * written is removed.
 * @throws {UnavailableError} `BUNDLE_EXISTS`, `BUNDLE_FAILED`.
 */
export async function writeBundle(options: WriteBundleOptions): Promise<void> {
  const { path, directoryName, entries, redactor, signal, temporaryDirectory = tmpdir() } = options
  // mkdtemp makes it 0700.
  const work = await mkdtemp(join(temporaryDirectory, 'relay-agent-doctor-')).catch((cause: unknown) => {
    throw new UnavailableError('BUNDLE_FAILED', 'no temporary directory can be made', { cause })
  })
  try {
    const directory = join(work, directoryName)
    await mkdir(directory, { mode: 0o700 })
    await Promise.all(
      entries.map(async ({ name, text }) => {
        await writeFile(join(directory, name), cut(redactor.text(text)), { mode: 0o600 })
      }),
    )
    await packInto(path, { work, directoryName, signal })
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    throw new UnavailableError('BUNDLE_FAILED', `the archive ${path} cannot be written`, { cause })
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

function cut(text: string): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= maxEntryBytes) return text
  return `${bytes.subarray(0, maxEntryBytes).toString('utf8')}\n(the rest was left out)\n`
}

interface Packing {
  readonly work: string
  readonly directoryName: string
  readonly signal: AbortSignal
}

async function packInto(path: string, { work, directoryName, signal }: Packing): Promise<void> {
  await using file = await open(path, 'wx', 0o600).catch((cause: unknown) => {
    throw errorCode(cause) === 'EEXIST'
      ? new UnavailableError('BUNDLE_EXISTS', `${path} exists and is not overwritten; name another file`)
      : new UnavailableError('BUNDLE_FAILED', `the archive ${path} cannot be written`, { cause })
  })
  try {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(tarWithinMs)])
    const child = spawn(
      'tar',
      [
        '--create',
        '--gzip',
        '--numeric-owner',
        '--owner=0',
        '--group=0',
        `--directory=${work}`,
        directoryName,
      ],
      { stdio: ['ignore', file.fd, 'ignore'], signal: deadline, killSignal: 'SIGKILL' },
    )
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', resolve)
    })
    if (code !== 0)
      throw new UnavailableError('BUNDLE_FAILED', `tar ended with ${code} while it wrote ${path}`)
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
}
