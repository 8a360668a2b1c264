import type { Clock } from '@relay/common/clock'
import { AppError } from '@relay/common/errors'
import { keepConnected } from '@relay/common/keep-connected'
import type { Log } from '@relay/common/log'
import { DropReport } from '../drop-report.ts'
import { type Fault, faultOf } from '@relay/common/fault'
import type { FeedHub, Member, Message } from '../feeds/feed-hub.ts'
import { Progress } from '@relay/common/progress'
import type { Part } from '../part.ts'
import { RetryLog } from '@relay/common/retry-log'
import { CommandWriter } from './command-writer.ts'
import {
  addCounters,
  type FrameDecoder,
  frameDecoder,
  type Framing,
  type FramingCounters,
  noCounters,
} from './decode-frames.ts'
import { encodeMessage } from './encode-message.ts'
import type { Link, LinkEvents, LinkSource } from './link.ts'
import { type RecorderOptions, type RecordingStatus, SessionRecorder } from './session/session-recorder.ts'
import { type SourceSettings, sourceOf } from './source-of.ts'

export interface InstrumentOptions {
  readonly name: string
  /** Where its messages are published and whose messages it gets. */
  readonly feed: string
  readonly source: SourceSettings
  readonly framing: Framing
  readonly writeQueueBytes: number
  /** An instrument that says nothing for so long is opened anew; 0: it may be silent for ever. */
  readonly silentAfterMs: number
  readonly recording: RecorderOptions | undefined
}

export interface InstrumentDeps {
  readonly hub: Pick<FeedHub, 'join' | 'publish'>
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  /** In place of what the options say. */
  readonly source?: LinkSource
}

export type InstrumentState = 'stopped' | 'opening' | 'open' | 'waiting'

export interface InstrumentStatus extends FramingCounters {
  readonly name: string
  readonly feed: string
  readonly state: InstrumentState
  /** What is open, or was last: a port may have come back under another name. Undefined before the first opening. */
  readonly opened: string | undefined
  readonly receivedMessages: number
  readonly receivedBytes: number
  /** How long ago the last byte came; undefined before the first one. */
  readonly lastByteAgeMs: number | undefined
  readonly writtenMessages: number
  readonly writtenBytes: number
  /** Commands that the instrument did not get: port not open, queue full, or too long. */
  readonly droppedCommands: number
  readonly reopens: number
  /** How often it came back under another name. */
  readonly renames: number
  /** Undefined where nothing is recorded. */
  readonly recording: RecordingStatus | undefined
  readonly fault: Fault | undefined
}

/** While it is open something is looked after so often. */
const checkEveryMs = 1_000
/** What a step may take beyond its own deadline before the watchdog calls the part stuck. */
const stepGraceMs = 15_000
/** After a device has come, udev needs a moment for its rights; and events without end must not make us spin. */
const afterChanceMs = 100

/**
 * One instrument: its messages go to the feed, messages of the feed go to it.
 *
 * Invariants: a link is used once, and at most one is open or being opened; commands are written whole, in order, one
 * at a time; while the link is not open commands are dropped and counted, never kept: a board that comes back must not
 * move by an old command.
 */
export class Instrument implements Member, Part {
  readonly name: string
  readonly progress: Progress
  readonly #options: InstrumentOptions
  readonly #deps: InstrumentDeps
  readonly #source: LinkSource
  readonly #writer: CommandWriter
  readonly #drops: DropReport
  readonly #recorder: SessionRecorder | undefined
  #decoder: FrameDecoder
  #state: InstrumentState = 'stopped'
  #past: FramingCounters = noCounters
  #opened: string | undefined
  #receivedMessages = 0
  #receivedBytes = 0
  #lastByteAtMs: number | undefined
  #writtenMessages = 0
  #writtenBytes = 0
  #droppedCommands = 0
  #reopens = 0
  #renames = 0
  #lastError: AppError | undefined
  #fault: Fault | undefined
  /** An opening that was given up; until it has ended there is no other one. */
  #lateOpening: Promise<void> | undefined

  constructor(options: InstrumentOptions, deps: InstrumentDeps) {
    this.name = `instrument ${options.name}`
    this.progress = new Progress(deps.clock)
    this.#options = options
    this.#deps = deps
    this.#source = deps.source ?? sourceOf(options.source, deps)
    this.#drops = new DropReport({ instrument: options.name }, deps)
    this.#recorder =
      options.recording === undefined ? undefined : new SessionRecorder(options.recording, deps)
    this.#decoder = frameDecoder(options.framing)
    this.#writer = new CommandWriter({
      maxBytes: options.writeQueueBytes,
      clock: deps.clock,
      onDrop: (reason) => this.#drop(reason),
      onWritten: (data) => {
        this.#writtenMessages += 1
        this.#writtenBytes += data.length
        this.#recorder?.data('out', data)
      },
    })
  }

  /** Keeps the link open until `signal` aborts. Never rejects for a fault of the instrument. */
  async run(signal: AbortSignal): Promise<void> {
    const { hub, clock, random } = this.#deps
    const retries = new RetryLog({ instrument: this.#options.name }, this.#deps)
    const leave = hub.join(this.#options.feed, this)
    try {
      await keepConnected(
        (inner) => this.#runOnce(inner),
        this.#source.retryPolicy,
        {
          clock: {
            nowMs: () => clock.nowMs(),
            monotonicMs: () => clock.monotonicMs(),
            after: (delayMs, action) => clock.after(delayMs, action),
            sleep: (delayMs) => this.#wait(delayMs, signal),
          },
          random,
          onRetry: (retry) => {
            this.#state = 'waiting'
            this.#reopens += 1
            this.#lastError = retry.error instanceof AppError ? retry.error : undefined
            this.#fault = faultOf(retry.error, clock.nowMs())
            retries.tell(retry, 'instrument failed, will be opened again')
          },
        },
        signal,
      )
      // What hangs in the kernel is no fault of ours, and may hang for ever.
      this.progress.rest()
      await this.#lateOpening
    } finally {
      await this.#recorder?.close()
      leave()
      this.#drops.stop()
      this.#state = 'stopped'
      this.progress.rest()
    }
  }

  status(): InstrumentStatus {
    const { clock } = this.#deps
    return {
      name: this.#options.name,
      feed: this.#options.feed,
      state: this.#state,
      opened: this.#opened,
      receivedMessages: this.#receivedMessages,
      receivedBytes: this.#receivedBytes,
      lastByteAgeMs: this.#lastByteAtMs === undefined ? undefined : clock.monotonicMs() - this.#lastByteAtMs,
      writtenMessages: this.#writtenMessages,
      writtenBytes: this.#writtenBytes,
      droppedCommands: this.#droppedCommands,
      ...addCounters(this.#past, this.#decoder.counters),
      reopens: this.#reopens,
      renames: this.#renames,
      recording: this.#recorder?.status,
      fault: this.#fault,
    }
  }

  /** A message of the feed, for the instrument. */
  deliver(message: Message): void {
    if (message.data.length === 0) return
    if (this.#state !== 'open') {
      this.#drop('port not open')
      return
    }
    const parts = encodeMessage(message.data, this.#options.framing)
    if (parts.length === 0) this.#drop('too long or empty')
    for (const part of parts) this.#writer.add(part)
  }

  async #runOnce(signal: AbortSignal): Promise<void> {
    const closed = Promise.withResolvers<AppError>()
    this.#state = 'opening'
    this.#past = addCounters(this.#past, this.#decoder.counters)
    this.#decoder = frameDecoder(this.#options.framing)
    const link = await this.#open(
      { onData: (chunk) => this.#onData(chunk), onClosed: (error) => closed.resolve(error) },
      signal,
    )
    const using = new AbortController()
    const stop = (): void => using.abort()
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    this.#onOpen(link)
    try {
      const end = await Promise.race([
        closed.promise,
        this.#writer.run(link, (bytes) => this.#source.writeWithinMs(bytes), using.signal),
        this.#lookAfter(link, using.signal),
      ])
      if (end !== undefined) throw end
    } finally {
      this.#state = 'waiting'
      this.#recorder?.event('closed', link.opened)
      signal.removeEventListener('abort', stop)
      using.abort()
      await link.close()
    }
  }

  /** An opening that hangs in the kernel is given up, and no other one begins before it has ended. */
  async #open(events: LinkEvents, signal: AbortSignal): Promise<Link> {
    const { clock } = this.#deps
    const withinMs = this.#source.openWithinMs
    this.progress.promise(withinMs + stepGraceMs)
    if (this.#lateOpening !== undefined) throw openingHangs()
    const opening = this.#source.open(events, signal, this.#lastError)
    const waiting = new AbortController()
    const link = await Promise.race([opening, clock.sleep(withinMs, waiting.signal)])
    waiting.abort()
    if (link !== undefined) return link
    this.#lateOpening = opening
      .then(
        async (late) => await late.close(),
        () => undefined,
      )
      .finally(() => {
        this.#lateOpening = undefined
      })
    throw openingHangs()
  }

  #onOpen(link: Link): void {
    if (this.#opened !== undefined && this.#opened !== link.opened) this.#renames += 1
    this.#opened = link.opened
    this.#state = 'open'
    this.#fault = undefined
    this.#recorder?.event('opened', link.opened)
    const { name, feed } = this.#options
    this.#deps.log.info({ instrument: name, feed, opened: link.opened }, 'instrument is open')
  }

  /** Gives what is wrong with a link that looks open, or undefined when it was stopped. */
  async #lookAfter(link: Link, signal: AbortSignal): Promise<AppError | undefined> {
    const { clock } = this.#deps
    const { silentAfterMs } = this.#options
    const openedAtMs = clock.monotonicMs()
    while (!signal.aborted) {
      this.progress.promise(checkEveryMs + stepGraceMs)
      await clock.sleep(checkEveryMs, signal)
      if (signal.aborted) break
      const silentMs = clock.monotonicMs() - Math.max(openedAtMs, this.#lastByteAtMs ?? 0)
      if (silentAfterMs > 0 && silentMs >= silentAfterMs) return silent(link.opened, silentAfterMs)
      const error = await link.check()
      if (error !== undefined) return error
    }
    return undefined
  }

  /** Until the next attempt: so long, or until the device has come. */
  async #wait(delayMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps
    this.progress.promise(delayMs + afterChanceMs + stepGraceMs)
    const chance = new AbortController()
    const stop = (): void => chance.abort()
    const unwatch = this.#source.watch(stop, this.#lastError)
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    await clock.sleep(delayMs, chance.signal)
    signal.removeEventListener('abort', stop)
    unwatch()
    if (chance.signal.aborted) await clock.sleep(afterChanceMs, signal)
  }

  #onData(chunk: Buffer): void {
    this.#receivedBytes += chunk.length
    this.#lastByteAtMs = this.#deps.clock.monotonicMs()
    this.#recorder?.data('in', chunk)
    this.#decoder.push(chunk, this.#publish)
  }

  readonly #publish = (data: Buffer): void => {
    this.#receivedMessages += 1
    const message = { data, binary: this.#options.framing.kind !== 'line' }
    this.#deps.hub.publish(this.#options.feed, message, this)
  }

  #drop(reason: string): void {
    this.#droppedCommands += 1
    this.#drops.count(reason)
  }
}

function openingHangs(): AppError {
  return new AppError(
    'INSTRUMENT_OPEN_HANGS',
    'opening it takes too long; the system may hang over the device',
  )
}

function silent(opened: string, afterMs: number): AppError {
  return new AppError(
    'INSTRUMENT_SILENT',
    `the instrument behind ${opened} said nothing for ${afterMs / 1000} s (silentAfter)`,
  )
}
