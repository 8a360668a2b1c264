import type { Clock } from '@relay/common/clock'
import { AppError } from '@relay/common/errors'
import type { Link } from './link.ts'
import { WriteQueue } from './write-queue.ts'

export interface CommandWriterOptions {
  readonly maxBytes: number
  readonly clock: Pick<Clock, 'after'>
  /** Once for each command that the instrument did not get. */
  readonly onDrop: (reason: string) => void
  readonly onWritten: (data: Buffer) => void
}

type WriteOutcome = 'written' | 'late' | 'stopped' | AppError

/** Commands on their way to an instrument: written whole, in order, one at a time; what waits is bounded. */
export class CommandWriter {
  readonly #options: CommandWriterOptions
  readonly #queue: WriteQueue
  #wake: (() => void) | undefined

  constructor(options: CommandWriterOptions) {
    this.#options = options
    this.#queue = new WriteQueue({ maxBytes: options.maxBytes })
  }

  add(command: Buffer): void {
    if (!this.#queue.add(command)) this.#options.onDrop('queue full')
    this.#wake?.()
  }

  /** Writes what is added, until `signal` aborts (undefined) or the link fails; nothing is left waiting then. */
  async run(
    link: Link,
    writeWithinMs: (bytes: number) => number,
    signal: AbortSignal,
  ): Promise<AppError | undefined> {
    const stop = (): void => this.#wake?.()
    signal.addEventListener('abort', stop, { once: true })
    try {
      while (!signal.aborted) {
        const data = this.#queue.take()
        if (data === undefined) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve
          })
          this.#wake = undefined
          continue
        }
        const withinMs = writeWithinMs(data.length)
        const outcome = await this.#writeInTime(link, data, { withinMs, signal })
        if (outcome === 'written') {
          this.#options.onWritten(data)
          continue
        }
        this.#options.onDrop('not written')
        if (outcome === 'stopped') return undefined
        return outcome === 'late' ? stuck(link.opened, withinMs) : outcome
      }
      return undefined
    } finally {
      signal.removeEventListener('abort', stop)
      const lost = this.#queue.clear()
      for (let count = 0; count < lost; count++) this.#options.onDrop('port closed')
    }
  }

  /** Leaves nothing behind on `signal`, which lives as long as the port: commands may come for months. */
  #writeInTime(
    link: Link,
    data: Buffer,
    { withinMs, signal }: { readonly withinMs: number; readonly signal: AbortSignal },
  ): Promise<WriteOutcome> {
    return new Promise((resolve) => {
      const finish = (outcome: WriteOutcome): void => {
        cancel()
        signal.removeEventListener('abort', stop)
        resolve(outcome)
      }
      const stop = (): void => finish('stopped')
      const cancel = this.#options.clock.after(withinMs, () => finish('late'))
      signal.addEventListener('abort', stop, { once: true })
      link.write(data).then(
        () => finish('written'),
        (error: unknown) => finish(error as AppError),
      )
    })
  }
}

function stuck(opened: string, withinMs: number): AppError {
  return new AppError(
    'INSTRUMENT_STUCK',
    `the instrument behind ${opened} took no command for ${withinMs / 1000} s (hanging, or flow control?)`,
  )
}
