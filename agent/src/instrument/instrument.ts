import { aborted, type Clock } from '@relay/common/clock'
import { AppError } from '@relay/common/errors'
import { keepConnected, type RetryPolicy } from '@relay/common/keep-connected'
import type { Log } from '@relay/common/log'
import { DropReport } from '../drop-report.ts'
import { type Fault, faultOf } from '../fault.ts'
import type { FeedHub, Member, Message } from '../feeds/feed-hub.ts'
import { RetryLog } from '../retry-log.ts'
import { type FrameDecoder, frameDecoder, type Framing, type FramingCounters } from './decode-frames.ts'
import { encodeMessage } from './encode-message.ts'
import { type OpenSerial, openSerial, type SerialLink, type SerialSettings } from './serial-link.ts'
import { WriteQueue } from './write-queue.ts'

export interface InstrumentOptions {
  readonly name: string
  /** Where its messages are published and whose messages it gets. */
  readonly feed: string
  readonly serial: SerialSettings
  readonly framing: Framing
  readonly writeQueueBytes: number
}

export interface InstrumentDeps {
  readonly hub: Pick<FeedHub, 'join' | 'publish'>
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  readonly open?: OpenSerial
}

export type InstrumentState = 'stopped' | 'opening' | 'open' | 'waiting'

export interface InstrumentStatus extends FramingCounters {
  readonly name: string
  readonly feed: string
  readonly state: InstrumentState
  readonly receivedMessages: number
  readonly receivedBytes: number
  readonly writtenMessages: number
  readonly writtenBytes: number
  /** Commands that the instrument did not get: port not open, queue full, or too long. */
  readonly droppedCommands: number
  readonly reopens: number
  readonly fault: Fault | undefined
}

type WriteOutcome = 'written' | 'late' | 'stopped' | AppError

/** A port that is plugged in again is in use within three seconds; looking for it costs next to nothing. */
const retryPolicy: RetryPolicy = { minMs: 300, maxMs: 3_000, stableAfterMs: 10_000 }
/** An instrument that takes no bytes for so long (flow control) is closed and opened anew. */
const writeWithinMs = 5_000

/**
 * One instrument behind a serial port: its messages go to the feed, messages of the feed go to it.
 *
 * Invariants: a port object is used once; commands are written whole, in order, one at a time; while the port is not
 * open commands are dropped and counted, never kept: a board that comes back must not move by an old command.
 */
export class Instrument implements Member {
  readonly name: string
  readonly #options: InstrumentOptions
  readonly #deps: InstrumentDeps
  readonly #queue: WriteQueue
  readonly #drops: DropReport
  #decoder: FrameDecoder
  #state: InstrumentState = 'stopped'
  #wakeWriter: (() => void) | undefined
  #past: FramingCounters = { cutLines: 0, repairedLines: 0, skippedBytes: 0 }
  #receivedMessages = 0
  #receivedBytes = 0
  #writtenMessages = 0
  #writtenBytes = 0
  #droppedCommands = 0
  #reopens = 0
  #fault: Fault | undefined

  constructor(options: InstrumentOptions, deps: InstrumentDeps) {
    this.name = `instrument ${options.name}`
    this.#options = options
    this.#deps = deps
    this.#queue = new WriteQueue({ maxBytes: options.writeQueueBytes })
    this.#drops = new DropReport({ instrument: options.name }, deps)
    this.#decoder = frameDecoder(options.framing)
  }

  /** Keeps the port open until `signal` aborts. Never rejects for a fault of the instrument. */
  async run(signal: AbortSignal): Promise<void> {
    const { hub, clock, random } = this.#deps
    const retries = new RetryLog({ instrument: this.#options.name }, this.#deps)
    const leave = hub.join(this.#options.feed, this)
    try {
      await keepConnected(
        (inner) => this.#runOnce(inner),
        retryPolicy,
        {
          clock,
          random,
          onRetry: (retry) => {
            this.#state = 'waiting'
            this.#reopens += 1
            this.#fault = faultOf(retry.error, clock.nowMs())
            retries.tell(retry, 'instrument failed, will be opened again')
          },
        },
        signal,
      )
    } finally {
      leave()
      this.#drops.stop()
      this.#state = 'stopped'
    }
  }

  status(): InstrumentStatus {
    const now = this.#decoder.counters
    return {
      name: this.#options.name,
      feed: this.#options.feed,
      state: this.#state,
      receivedMessages: this.#receivedMessages,
      receivedBytes: this.#receivedBytes,
      writtenMessages: this.#writtenMessages,
      writtenBytes: this.#writtenBytes,
      droppedCommands: this.#droppedCommands,
      cutLines: this.#past.cutLines + now.cutLines,
      repairedLines: this.#past.repairedLines + now.repairedLines,
      skippedBytes: this.#past.skippedBytes + now.skippedBytes,
      reopens: this.#reopens,
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
    for (const part of parts) if (!this.#queue.add(part)) this.#drop('queue full')
    this.#wakeWriter?.()
  }

  async #runOnce(signal: AbortSignal): Promise<void> {
    const { clock, open = openSerial } = this.#deps
    const closed = Promise.withResolvers<AppError>()
    this.#state = 'opening'
    this.#renewDecoder()
    const link = await open(
      this.#options.serial,
      { onData: (chunk) => this.#onData(chunk), onClosed: (error) => closed.resolve(error) },
      clock,
      signal,
    )
    const using = new AbortController()
    const stopping = AbortSignal.any([signal, using.signal])
    this.#state = 'open'
    this.#fault = undefined
    this.#deps.log.info({ instrument: this.#options.name, feed: this.#options.feed }, 'instrument is open')
    try {
      const end = await Promise.race([closed.promise, this.#writeAll(link, stopping), aborted(stopping)])
      if (end !== undefined) throw end
    } finally {
      this.#state = 'waiting'
      using.abort()
      this.#wakeWriter?.()
      const lost = this.#queue.clear()
      for (let count = 0; count < lost; count++) this.#drop('port closed')
      await link.close()
    }
  }

  /** Writes what comes into the queue; gives the fault that ended it, or undefined when it was stopped. */
  async #writeAll(link: SerialLink, signal: AbortSignal): Promise<AppError | undefined> {
    while (!signal.aborted) {
      const data = this.#queue.take()
      if (data === undefined) {
        await new Promise<void>((resolve) => {
          this.#wakeWriter = resolve
        })
        this.#wakeWriter = undefined
        continue
      }
      const outcome = await this.#writeInTime(link, data, signal)
      if (outcome === 'written') {
        this.#writtenMessages += 1
        this.#writtenBytes += data.length
        continue
      }
      this.#drop('not written')
      if (outcome === 'stopped') return undefined
      return outcome === 'late' ? stuck(this.#options.serial.device) : outcome
    }
    return undefined
  }

  /** Leaves nothing behind on `signal`, which lives as long as the port: commands may come for months. */
  #writeInTime(link: SerialLink, data: Buffer, signal: AbortSignal): Promise<WriteOutcome> {
    return new Promise((resolve) => {
      const finish = (outcome: WriteOutcome): void => {
        cancel()
        signal.removeEventListener('abort', stop)
        resolve(outcome)
      }
      const stop = (): void => finish('stopped')
      const cancel = this.#deps.clock.after(writeWithinMs, () => finish('late'))
      signal.addEventListener('abort', stop, { once: true })
      link.write(data).then(
        () => finish('written'),
        (error: unknown) => finish(error as AppError),
      )
    })
  }

  #onData(chunk: Buffer): void {
    this.#receivedBytes += chunk.length
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

  #renewDecoder(): void {
    const now = this.#decoder.counters
    this.#past = {
      cutLines: this.#past.cutLines + now.cutLines,
      repairedLines: this.#past.repairedLines + now.repairedLines,
      skippedBytes: this.#past.skippedBytes + now.skippedBytes,
    }
    this.#decoder = frameDecoder(this.#options.framing)
  }
}

function stuck(device: string): AppError {
  return new AppError(
    'INSTRUMENT_STUCK',
    `the serial port ${device} took no bytes for ${writeWithinMs / 1000} s (flow control?)`,
  )
}
