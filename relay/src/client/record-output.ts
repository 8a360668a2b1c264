import { createWriteStream, type WriteStream } from 'node:fs'
import { UnavailableError } from '@relay/common/errors'

/** How received messages are written (spec session 10.6, and `lines`). */
export const recordModes = ['text', 'lines', 'binary'] as const
export type RecordMode = (typeof recordModes)[number]

/**
 * The bytes that stand for one message: `text` is `[<RFC 3339>] <content>` and a newline with binary as base64, `lines`
 * the same without the time, `binary` the message itself. Pure.
 */
export function recordOf(
  payload: Buffer,
  {
    mode,
    isBinary,
    nowMs,
  }: { readonly mode: RecordMode; readonly isBinary: boolean; readonly nowMs: number },
): Buffer {
  if (mode === 'binary') return payload
  const content = isBinary ? payload.toString('base64') : payload.toString('utf8')
  return Buffer.from(mode === 'lines' ? `${content}\n` : `[${rfc3339Nano(nowMs)}] ${content}\n`)
}

/** Go's RFC3339Nano in UTC: no zeros at the end of the fraction. */
function rfc3339Nano(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.?0*Z$/, 'Z')
}

/** Where records go: stdout, or a file that can be opened anew, as logrotate wants it. */
export interface RecordOutput {
  /** Resolves when more may be written. */
  write(record: Buffer): Promise<void>
  /** Opens the file of that name again; nothing for stdout. */
  reopen(): void
  /** @throws {RecordFailedError} where what was taken could not be written. */
  close(): Promise<void>
}

/** A record cannot be written: to connect again would not help. */
export class RecordFailedError extends UnavailableError {
  override readonly permanent = true
}

/**
 * Writes to stdout where `path` is '' or '-', else appends to the file.
 * @throws {RecordFailedError} where the file cannot be opened.
 */
export async function openRecordOutput(path: string, stdout: NodeJS.WritableStream): Promise<RecordOutput> {
  if (path === '' || path === '-') return stdoutOutput(stdout)
  const output = new FileOutput(path)
  await output.opened()
  return output
}

function stdoutOutput(stdout: NodeJS.WritableStream): RecordOutput {
  return {
    write: (record) => writeTo(stdout, record),
    reopen: () => {},
    close: () => Promise.resolve(),
  }
}

class FileOutput implements RecordOutput {
  readonly #path: string
  #stream: WriteStream
  #failure: Error | undefined

  constructor(path: string) {
    this.#path = path
    this.#stream = this.#open()
  }

  async write(record: Buffer): Promise<void> {
    if (this.#failure === undefined) await writeTo(this.#stream, record)
    this.#check()
  }

  /** @throws {RecordFailedError} */
  async opened(): Promise<void> {
    const stream = this.#stream
    if (stream.pending) {
      await new Promise((resolve) => stream.once('open', resolve).once('error', resolve))
    }
    this.#check()
  }

  #check(): void {
    if (this.#failure !== undefined) {
      throw new RecordFailedError('RECORD_FAILED', `the file ${this.#path} cannot be written`, {
        cause: this.#failure,
      })
    }
  }

  reopen(): void {
    this.#stream.end()
    this.#failure = undefined
    this.#stream = this.#open()
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      if (this.#stream.closed) resolve()
      else this.#stream.once('close', resolve).end()
    })
    this.#check()
  }

  #open(): WriteStream {
    const stream = createWriteStream(this.#path, { flags: 'a' })
    stream.on('error', (error) => {
      if (stream === this.#stream) this.#failure ??= error
    })
    return stream
  }
}

async function writeTo(stream: NodeJS.WritableStream, record: Buffer): Promise<void> {
  if (stream.write(record)) return
  await new Promise<void>((resolve) => {
    const done = (): void => {
      stream.off('drain', done)
      stream.off('close', done)
      stream.off('error', done)
      resolve()
    }
    stream.on('drain', done)
    stream.on('close', done)
    stream.on('error', done)
  })
}
