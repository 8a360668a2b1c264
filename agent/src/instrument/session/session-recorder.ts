import { constants } from 'node:fs'
import { type FileHandle, open, rename } from 'node:fs/promises'
import type { Cancel, Clock } from '@relay/common/clock'
import type { Log } from '@relay/common/log'
import { AppError } from '@relay/common/errors'
import { DropReport } from '../../drop-report.ts'
import { type Fault, faultOf } from '@relay/common/fault'
import { formatLine, type SessionData, type SessionEvent } from './session-format.ts'

export interface RecordingOptions {
  readonly path: string
  /** Of each file. */
  readonly maxBytes: number
  /** How many files are kept: the older ones as `<path>.1`, `<path>.2` …; with 1 the recording ends when it is full. */
  readonly files: number
}

export interface RecorderOptions extends RecordingOptions {
  readonly instrument: string
  readonly device: string
}

export interface RecorderDeps {
  readonly clock: Clock
  readonly log: Log
}

export interface RecordingStatus {
  readonly path: string
  readonly state: 'recording' | 'full' | 'failed'
  /** In all files, since the start. */
  readonly writtenBytes: number
  /** Bytes of the instrument that are in no file. */
  readonly lostBytes: number
  readonly fault: Fault | undefined
}

/** Its time is that of the monotonic clock until it is written. */
type Entry = SessionData | SessionEvent

/** What waits for the disk; more is lost and counted. */
const maxWaitingBytes = 1_048_576
/** An entry takes at least this much of it. */
const overheadBytes = 64
/** JSON is made and written so often, away from the data path. */
const writeEveryMs = 200
/** A full disk may be freed. */
const tryAgainAfterMs = 60_000
const closeWithinMs = 2_000

/**
 * Records what an instrument says and gets into a file, with times. Nobody waits for it, and no fault of the disk
 * reaches anybody: what cannot be written is lost and counted, and the file is tried again every minute.
 */
export class SessionRecorder {
  readonly #options: RecorderOptions
  readonly #deps: RecorderDeps
  readonly #drops: DropReport
  #waiting: Entry[] = []
  #waitingBytes = 0
  #cancel: Cancel | undefined
  #writing: Promise<void> | undefined
  #file: FileHandle | undefined
  #fileBytes = 0
  #fileBeganAtMs = 0
  #state: RecordingStatus['state'] = 'recording'
  #retryAtMs = 0
  #writtenBytes = 0
  #lostBytes = 0
  #fault: Fault | undefined

  constructor(options: RecorderOptions, deps: RecorderDeps) {
    this.#options = options
    this.#deps = deps
    this.#drops = new DropReport({ instrument: options.instrument, recording: options.path }, deps)
  }

  get status(): RecordingStatus {
    return {
      path: this.#options.path,
      state: this.#state,
      writtenBytes: this.#writtenBytes,
      lostBytes: this.#lostBytes,
      fault: this.#fault,
    }
  }

  /** The data is only read. */
  data(direction: 'in' | 'out', data: Buffer): void {
    this.#add({ kind: 'data', ms: this.#deps.clock.monotonicMs(), direction, data }, data.length)
  }

  event(event: 'opened' | 'closed', about: string): void {
    this.#add({ kind: 'event', ms: this.#deps.clock.monotonicMs(), event, about }, about.length)
  }

  /** Resolves when what was recorded is in the file, or soon where the disk hangs. */
  async close(): Promise<void> {
    this.#cancel?.()
    const written = (async () => {
      await this.#writing
      await this.#write()
      await this.#closeFile()
    })()
    const waiting = new AbortController()
    await Promise.race([written, this.#deps.clock.sleep(closeWithinMs, waiting.signal)])
    waiting.abort()
    this.#drops.stop()
  }

  #add(entry: Entry, bytes: number): void {
    const isLost = this.#state === 'full' || this.#waitingBytes + bytes + overheadBytes > maxWaitingBytes
    if (isLost) {
      this.#lose(bytes)
      return
    }
    this.#waiting.push(entry)
    this.#waitingBytes += bytes + overheadBytes
    this.#cancel ??= this.#deps.clock.after(writeEveryMs, () => {
      this.#cancel = undefined
      this.#writing ??= this.#write().finally(() => {
        this.#writing = undefined
      })
    })
  }

  #lose(bytes: number): void {
    this.#lostBytes += bytes
    this.#drops.count(this.#state === 'full' ? 'recording is full' : 'not recorded')
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const entries = this.#waiting
      this.#waiting = []
      this.#waitingBytes = 0
      const isTooSoon = this.#state === 'failed' && this.#deps.clock.monotonicMs() < this.#retryAtMs
      if (this.#state === 'full' || isTooSoon) {
        for (const entry of entries) this.#lose(bytesOf(entry))
        continue
      }
      try {
        await this.#append(entries)
      } catch (error) {
        for (const entry of entries) this.#lose(bytesOf(entry))
        await this.#fail(error)
      }
    }
  }

  /** Takes out of `entries` what is in the file. */
  async #append(entries: Entry[]): Promise<void> {
    let text = ''
    let bytes = 0
    let count = 0
    const flush = async (): Promise<void> => {
      await this.#file?.appendFile(text)
      entries.splice(0, count)
      this.#fileBytes += bytes
      this.#writtenBytes += bytes
      text = ''
      bytes = count = 0
    }
    for (const entry of entries.slice()) {
      if (this.#file === undefined) await this.#openFile(entry.ms)
      let line = this.#lineOf(entry)
      if (this.#fileBytes + bytes + Buffer.byteLength(line) > this.#options.maxBytes) {
        await flush()
        if (this.#options.files <= 1) {
          await this.#end(entries)
          return
        }
        await this.#rotate(entry.ms)
        line = this.#lineOf(entry)
      }
      text += line
      bytes += Buffer.byteLength(line)
      count += 1
    }
    await flush()
    this.#state = 'recording'
    this.#fault = undefined
  }

  #lineOf(entry: Entry): string {
    return formatLine({ ...entry, ms: Math.max(0, Math.round((entry.ms - this.#fileBeganAtMs) * 10) / 10) })
  }

  async #end(entries: readonly Entry[]): Promise<void> {
    const { instrument, path } = this.#options
    this.#state = 'full'
    for (const entry of entries) this.#lose(bytesOf(entry))
    this.#deps.log.warn({ instrument, file: path }, 'recording is full and has ended')
    await this.#closeFile()
  }

  /** Goes on at the end of a file that is there already, with a new header, from which times count anew. */
  async #openFile(beganAtMs: number): Promise<void> {
    const { path, instrument, device } = this.#options
    // A link in place of the file is not followed, and a pipe that nobody reads is not waited for.
    const { O_RDWR, O_CREAT, O_APPEND, O_NOFOLLOW, O_NONBLOCK } = constants
    this.#file = await open(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK, 0o640)
    const before = await this.#file.stat()
    if (before.isFIFO()) throw new AppError('RECORDING_FAILED', `${path} is a pipe and no file`)
    this.#fileBytes = before.size
    this.#fileBeganAtMs = beganAtMs
    const { clock } = this.#deps
    const startedAt = new Date(clock.nowMs() - (clock.monotonicMs() - beganAtMs)).toISOString()
    // The last line before a power cut has no end.
    const end = (await endsInLine(this.#file, before.size)) ? '\n' : ''
    const header = end + formatLine({ kind: 'header', startedAt, instrument, device })
    await this.#file.appendFile(header)
    this.#fileBytes += Buffer.byteLength(header)
  }

  async #rotate(beganAtMs: number): Promise<void> {
    const { path, files } = this.#options
    await this.#closeFile()
    for (let number = files - 1; number >= 1; number--) {
      const from = number === 1 ? path : `${path}.${number - 1}`
      await rename(from, `${path}.${number}`).catch((error: unknown) => {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
      })
    }
    await this.#openFile(beganAtMs)
  }

  async #closeFile(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close().catch(() => undefined)
  }

  async #fail(error: unknown): Promise<void> {
    const { clock, log } = this.#deps
    await this.#closeFile()
    if (this.#state !== 'failed')
      log.warn(
        { instrument: this.#options.instrument, file: this.#options.path, error },
        'recording failed, will be tried again every minute',
      )
    this.#state = 'failed'
    this.#fault = faultOf(error, clock.nowMs())
    this.#retryAtMs = clock.monotonicMs() + tryAgainAfterMs
  }
}

/** The end of the last line is missing. */
async function endsInLine(file: FileHandle, bytes: number): Promise<boolean> {
  if (bytes === 0) return false
  const last = Buffer.alloc(1)
  await file.read(last, 0, 1, bytes - 1)
  return last[0] !== 0x0a
}

function bytesOf(entry: Entry): number {
  return entry.kind === 'data' ? entry.data.length : 0
}
