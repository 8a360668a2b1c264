import type { IncomingMessage } from 'node:http'
import type { Cancel, Clock } from '@relay/common/clock'
import type { FeedHub, Member } from '../feeds/feed-hub.ts'
import { UploadCutter } from './upload-cutter.ts'

export interface UploadOptions {
  readonly name: string
  readonly feed: string
  readonly maxMessageBytes: number
  /** A frame whose end shows only in the next one is given out after a silence of this length. */
  readonly flushAfterMs: number
}

export interface UploadDeps {
  readonly hub: FeedHub
  readonly clock: Clock
}

/** What one upload brought so far. */
export interface UploadCounters {
  readonly feed: string
  readonly bytes: number
  readonly messages: number
  readonly skippedBytes: number
}

/**
 * One endless upload to a feed (spec session 7.4). Each upload has its own cutter, so that several to one feed are
 * interleaved by whole messages only.
 *
 * Invariants: nothing is published once the request is closed; at most one timer runs, and none afterwards.
 */
export class Upload implements Member {
  readonly name: string
  readonly feed: string
  readonly #flushAfterMs: number
  readonly #hub: FeedHub
  readonly #clock: Clock
  readonly #cutter: UploadCutter
  #bytes = 0
  #messages = 0
  #lastChunkMs = 0
  #cancelFlush: Cancel | undefined

  constructor({ name, feed, maxMessageBytes, flushAfterMs }: UploadOptions, { hub, clock }: UploadDeps) {
    this.name = name
    this.feed = feed
    this.#flushAfterMs = flushAfterMs
    this.#hub = hub
    this.#clock = clock
    this.#cutter = new UploadCutter(maxMessageBytes)
  }

  get counters(): UploadCounters {
    return {
      feed: this.feed,
      bytes: this.#bytes,
      messages: this.#messages,
      skippedBytes: this.#cutter.skippedBytes,
    }
  }

  /** An upload never listens. */
  deliver(): void {
    // Nothing is joined, so nothing comes.
  }

  /** Reads the request to its end; true where the client ended it, false where it went away. Never rejects. */
  run(request: IncomingMessage): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (isComplete: boolean): void => {
        this.#cancelFlush?.()
        request.off('data', this.#take)
        if (isComplete) this.#cutter.end(this.#publish)
        resolve(isComplete)
      }
      request.on('data', this.#take)
      request.once('end', () => finish(true))
      request.once('close', () => finish(false))
    })
  }

  readonly #take = (chunk: Buffer): void => {
    this.#bytes += chunk.length
    this.#cutter.push(chunk, this.#publish)
    if (!this.#cutter.isWaiting) return
    this.#lastChunkMs = this.#clock.monotonicMs()
    this.#cancelFlush ??= this.#clock.after(this.#flushAfterMs, this.#flushIfSilent)
  }

  readonly #publish = (data: Buffer): void => {
    this.#messages += 1
    this.#hub.publish(this.feed, { data, binary: true }, this)
  }

  /** One timer at most is kept for many chunks: it goes on where chunks came meanwhile. */
  readonly #flushIfSilent = (): void => {
    this.#cancelFlush = undefined
    if (!this.#cutter.isWaiting) return
    const leftMs = this.#lastChunkMs + this.#flushAfterMs - this.#clock.monotonicMs()
    if (leftMs > 0) this.#cancelFlush = this.#clock.after(leftMs, this.#flushIfSilent)
    else this.#cutter.pause(this.#publish)
  }
}
