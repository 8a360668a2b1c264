import { constants, createReadStream } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import type { Clock } from '@relay/common/clock'
import { AppError, errorCode } from '@relay/common/errors'
import type { RetryPolicy } from '@relay/common/keep-connected'
import type { Link, LinkEvents, LinkSource } from '../link.ts'
import { parseLine } from './session-format.ts'

export interface ReplaySettings {
  readonly path: string
  /** 2 is twice as fast. */
  readonly speed: number
  readonly isLoop: boolean
}

/** Between two rounds, so that a session of a moment does not fill the feed. */
const betweenRoundsMs = 1_000
/** Entries hold at most 64 KiB of bytes, which may be six times as long in JSON. */
const maxLineBytes = 1_048_576

/**
 * A recorded session in place of an instrument: it says what the instrument said, at the same times, and takes every
 * command without doing anything. After the end it is silent, or begins anew.
 */
export class ReplaySource implements LinkSource {
  readonly retryPolicy: RetryPolicy = { minMs: 1_000, maxMs: 10_000, stableAfterMs: 10_000 }
  readonly openWithinMs = 10_000
  readonly #settings: ReplaySettings
  readonly #clock: Clock

  constructor(settings: ReplaySettings, { clock }: { readonly clock: Clock }) {
    this.#settings = settings
    this.#clock = clock
  }

  async open(events: LinkEvents): Promise<Link> {
    const { path } = this.#settings
    try {
      await access(path, constants.R_OK)
    } catch (cause) {
      throw new AppError('INSTRUMENT_MISSING', `the recorded session ${path} cannot be read`, { cause })
    }
    // A pipe would be waited for without end.
    if (!(await stat(path)).isFile()) throw wrong(path, 'it is no file')
    const closing = new AbortController()
    const played = this.#play(events.onData, closing.signal).catch((error: unknown) => {
      if (!closing.signal.aborted) events.onClosed(asAppError(error, path))
    })
    return {
      opened: `replay:${path}`,
      write: () => Promise.resolve(),
      check: () => Promise.resolve(undefined),
      close: async () => {
        closing.abort()
        await played
      },
    }
  }

  watch(): () => void {
    return () => undefined
  }

  writeWithinMs(): number {
    return 1_000
  }

  async #play(onData: (chunk: Buffer) => void, signal: AbortSignal): Promise<void> {
    do {
      await this.#playOnce(onData, signal)
      await this.#clock.sleep(betweenRoundsMs, signal)
    } while (this.#settings.isLoop && !signal.aborted)
  }

  async #playOnce(onData: (chunk: Buffer) => void, signal: AbortSignal): Promise<void> {
    const { path, speed } = this.#settings
    const beganAtMs = this.#clock.monotonicMs()
    let number = 0
    let saidSomething = false
    // A further session in the file goes on where the one before ended.
    let baseMs = 0
    let lastMs = 0
    let torn: AppError | undefined
    for await (const line of linesOf(path, signal)) {
      if (signal.aborted) return
      number += 1
      if (line === '') continue
      const parsed = parseLine(line)
      if (torn !== undefined && !(parsed.ok && parsed.entry.kind === 'header')) throw torn
      torn = undefined
      if (!parsed.ok) {
        torn = wrong(path, `line ${number}: ${parsed.refusal}`)
        // What a power cut tore has no end, and stands before the header of the next recording.
        if (line.endsWith('}')) throw torn
        continue
      }
      const { entry } = parsed
      if (number === 1 && entry.kind !== 'header')
        throw wrong(path, 'line 1 is not the beginning of a session')
      if (entry.kind === 'header') {
        baseMs = lastMs
        continue
      }
      lastMs = Math.max(lastMs, baseMs + entry.ms)
      if (entry.kind !== 'data' || entry.direction !== 'in') continue
      await this.#clock.sleep(lastMs / speed - (this.#clock.monotonicMs() - beganAtMs), signal)
      if (isAborted(signal)) return
      saidSomething = true
      onData(entry.data)
    }
    if (torn !== undefined) throw torn
    if (!saidSomething && !isAborted(signal)) throw wrong(path, 'it holds nothing that an instrument said')
  }
}

/** A call, so that the type checker knows that the answer changes during an `await`. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted
}

/** The lines of a file, read as they are needed. */
async function* linesOf(path: string, signal: AbortSignal): AsyncGenerator<string> {
  const stream = createReadStream(path, { signal })
  let open = Buffer.alloc(0)
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    open = Buffer.concat([open, chunk])
    for (;;) {
      const end = open.indexOf(0x0a)
      if (end < 0) break
      yield open.subarray(0, end).toString('utf8')
      open = open.subarray(end + 1)
    }
    if (open.length > maxLineBytes) throw wrong(path, 'a line is too long')
  }
  // The last line of a recording that was cut off says nothing.
}

function wrong(path: string, what: string): AppError {
  return new AppError('INSTRUMENT_REPLAY_WRONG', `${path} is no recorded session: ${what}`)
}

function asAppError(error: unknown, path: string): AppError {
  if (error instanceof AppError) return error
  return new AppError('INSTRUMENT_LOST', `the recorded session ${path} cannot be read any more`, {
    cause: error,
    details: { code: errorCode(error) },
  })
}
