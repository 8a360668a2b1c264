import { constants, createWriteStream, realpathSync, type WriteStream } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { describeError } from '@relay/common/errors'
import type { Log } from '@relay/common/log'

/** Gets a copy of everything that goes out of an uplink. */
export interface Recorder {
  write(data: Buffer): void
  /** Resolves when what was written is in the file. */
  close(): Promise<void>
}

export type RecordingPath =
  | { readonly ok: true; readonly path: string }
  | { readonly ok: false; readonly refusal: string }

/**
 * Where a recording of this name may be written: inside `directory`, in a folder that exists there, also after links
 * are followed. The old programs wrote wherever a rule said (spec session 9, number 9).
 */
export function recordingPath(name: string, directory: string): RecordingPath {
  const refuse = (refusal: string): RecordingPath => ({ ok: false, refusal })
  if (directory === '') return refuse('"file" is not allowed: no directory for recordings is configured')
  if (name.includes('\0')) return refuse('"file" holds a character that no file name has')
  const wanted = isAbsolute(name) ? resolve(name) : resolve(directory, name)
  if (!isInside(wanted, resolve(directory)))
    return refuse(`"file" must name a file inside ${directory}, the directory for recordings`)
  let folder: string
  let root: string
  try {
    root = realpathSync(directory)
    folder = realpathSync(dirname(wanted))
  } catch {
    return refuse(`"file" names a folder that does not exist in ${directory}`)
  }
  const path = join(folder, basename(wanted))
  return isInside(path, root)
    ? { ok: true, path }
    : refuse(`"file" must name a file inside ${directory}, the directory for recordings`)
}

function isInside(path: string, directory: string): boolean {
  const way = relative(directory, path)
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}

export interface RecordingOptions {
  readonly path: string
  readonly maxBytes: number
  readonly log: Log
}

/** A disk that is slower than the data: more than this is not kept for it. */
const maxWaitingBytes = 4_194_304

/**
 * Writes everything to a file that is made or emptied now (spec session 7.2). It ends at `maxBytes`, at the first
 * fault, and when the disk is too slow, each of which is logged once; nobody waits for it.
 */
export function startRecording({ path, maxBytes, log }: RecordingOptions): Recorder {
  // A link in place of the file is not followed.
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW
  // The type package knows only texts here; Node takes the numbers of open(2) too.
  const stream: WriteStream = createWriteStream(path, { flags: flags as unknown as string, mode: 0o640 })
  let bytes = 0
  let hasEnded = false
  const end = (reason: string): void => {
    if (hasEnded) return
    hasEnded = true
    log.warn({ file: path, bytes, reason }, 'recording ended')
    stream.end()
  }
  stream.on('error', (error) => end(describeError(error)))
  return {
    write: (data) => {
      if (hasEnded) return
      if (bytes + data.length > maxBytes) end('it is as long as it may be')
      else if (stream.writableLength > maxWaitingBytes) end('the disk is too slow')
      else {
        bytes += data.length
        stream.write(data)
      }
    },
    close: async () => {
      hasEnded = true
      if (stream.closed || stream.destroyed) return
      await new Promise<void>((done) => {
        stream.once('close', () => done())
        stream.end()
      })
    },
  }
}
