import type { Cancel, Clock } from '@relay/common/clock'
import { TsCutter, type TsCounters } from './ts-cutter.ts'

export interface FramePublisherOptions {
  readonly framesPerSecond: number
  /** Gets each message as soon as it is complete. */
  readonly publish: (message: Buffer) => void
  readonly clock: Pick<Clock, 'after'>
}

/** What was published in the life of a camera. */
export interface PublishedCounters extends TsCounters {
  readonly bytes: number
}

/** A frame whose end cannot be known waits at most so long, or half a frame time where that is less. */
const longestHoldMs = 20
const maxMessageBytes = 1_048_576
const nothing: TsCounters = { frames: 0, keyFrames: 0, audioUnits: 0, skippedBytes: 0 }

/**
 * Cuts what an encoder writes into messages and gives them out in order, each as soon as its last byte is here.
 *
 * Invariants: one timer at most; never a part of a frame whose length is known.
 */
export class FramePublisher {
  readonly #options: FramePublisherOptions
  readonly #holdMs: number
  #cutter = new TsCutter({ maxMessageBytes })
  /** Of the encoders before. */
  #past: TsCounters = nothing
  #bytes = 0
  #cancelHold: Cancel | undefined

  constructor(options: FramePublisherOptions) {
    this.#options = options
    this.#holdMs = Math.min(longestHoldMs, 500 / options.framesPerSecond)
  }

  get counters(): PublishedCounters {
    return { ...sum(this.#past, this.#cutter.counters), bytes: this.#bytes }
  }

  push(chunk: Buffer): void {
    this.#cutter.push(chunk, this.#publish)
    if (this.#mayFlush) this.#holdOn()
  }

  /** The encoder has ended, and another may follow: packets of a frame that never got its end are worthless. */
  endStream(): void {
    this.#holdNoMore()
    this.#past = sum(this.#past, this.#cutter.counters)
    this.#cutter = new TsCutter({ maxMessageBytes })
  }

  /** What waits may go out after a pause; never a part of a frame whose length is known. */
  get #mayFlush(): boolean {
    return this.#cutter.awaitsUnknownEnd || this.#cutter.holdsBetweenFrames
  }

  /** One timer at a time; what comes meanwhile does not put it off. */
  #holdOn(): void {
    this.#cancelHold ??= this.#options.clock.after(this.#holdMs, () => {
      this.#cancelHold = undefined
      if (this.#mayFlush) this.#cutter.flush(this.#publish)
    })
  }

  #holdNoMore(): void {
    this.#cancelHold?.()
    this.#cancelHold = undefined
  }

  readonly #publish = (message: Buffer): void => {
    this.#holdNoMore()
    this.#bytes += message.length
    this.#options.publish(message)
  }
}

function sum(a: TsCounters, b: TsCounters): TsCounters {
  return {
    frames: a.frames + b.frames,
    keyFrames: a.keyFrames + b.keyFrames,
    audioUnits: a.audioUnits + b.audioUnits,
    skippedBytes: a.skippedBytes + b.skippedBytes,
  }
}
