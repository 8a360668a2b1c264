import { existsSync } from 'node:fs'
import type { Cancel, Clock } from '@relay/common/clock'
import { AppError } from '@relay/common/errors'
import { keepConnected, type RetryPolicy } from '@relay/common/keep-connected'
import type { Log } from '@relay/common/log'
import type { FeedHub, Member } from '../feeds/feed-hub.ts'
import { type Fault, faultOf } from '../fault.ts'
import { RetryLog } from '../retry-log.ts'
import { type EncoderCommand, runEncoder } from './encoder.ts'
import { LastLines } from './last-lines.ts'
import { TsCutter } from './ts-cutter.ts'

export interface CameraOptions {
  readonly name: string
  /** Where its frames are published. */
  readonly feed: string
  /** '' where the encoder reads no device. */
  readonly device: string
  /** Looked up at each start, as programs come and go with package updates. */
  readonly command: () => EncoderCommand
  readonly framesPerSecond: number
  readonly stallAfterMs: number
}

export interface CameraDeps {
  readonly hub: Pick<FeedHub, 'publish'>
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
}

export type CameraState = 'stopped' | 'starting' | 'live' | 'waiting'

export interface CameraStatus {
  readonly name: string
  readonly feed: string
  readonly state: CameraState
  /** Of its encoder, while one runs. */
  readonly pid: number | undefined
  readonly frames: number
  readonly keyFrames: number
  readonly bytes: number
  /** Bytes of the encoder that were no MPEG-TS. */
  readonly skippedBytes: number
  readonly restarts: number
  readonly fault: Fault | undefined
  /** What the encoder said last. */
  readonly stderr: readonly string[]
}

/** A camera comes back within seconds after a fault, and a missing one costs next to nothing. */
const retryPolicy: RetryPolicy = { minMs: 500, maxMs: 10_000, stableAfterMs: 15_000 }
/** A camera may need so long for its first picture, beyond the time after which it counts as stalled. */
const firstPictureExtraMs = 10_000
/** A frame whose end cannot be known waits at most so long, or half a frame time where that is less. */
const longestHoldMs = 20
const maxMessageBytes = 1_048_576

/**
 * One camera: keeps its encoder running and publishes each video frame as one binary message.
 *
 * Invariants: at most one encoder runs; frames are published in order and as soon as their last byte is here; when
 * `run` has resolved, no process of it is left.
 */
export class Camera implements Member {
  readonly name: string
  readonly #options: CameraOptions
  readonly #deps: CameraDeps
  readonly #stderr = new LastLines({ maxLines: 20, maxLineLength: 300 })
  readonly #holdMs: number
  #state: CameraState = 'stopped'
  #cutter = new TsCutter({ maxMessageBytes })
  #past = { frames: 0, keyFrames: 0, skippedBytes: 0 }
  #bytes = 0
  #restarts = 0
  #pid: number | undefined
  #fault: Fault | undefined
  #cancelHold: Cancel | undefined

  constructor(options: CameraOptions, deps: CameraDeps) {
    this.name = `camera ${options.name}`
    this.#options = options
    this.#deps = deps
    this.#holdMs = Math.min(longestHoldMs, 500 / options.framesPerSecond)
  }

  /** A camera hears nothing. */
  deliver(): void {}

  /** Keeps the encoder running until `signal` aborts. Never rejects for a fault of the camera. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#deps
    const retries = new RetryLog({ camera: this.#options.name }, this.#deps)
    await keepConnected(
      (inner) => this.#runOnce(inner),
      retryPolicy,
      {
        clock,
        random,
        onRetry: (retry) => {
          this.#state = 'waiting'
          this.#restarts += 1
          this.#fault = faultOf(retry.error, clock.nowMs())
          retries.tell(retry, 'camera failed, will be started again')
        },
      },
      signal,
    )
    this.#state = 'stopped'
  }

  status(): CameraStatus {
    const { frames, keyFrames, skippedBytes } = this.#cutter.counters
    return {
      name: this.#options.name,
      feed: this.#options.feed,
      state: this.#state,
      pid: this.#pid,
      frames: this.#past.frames + frames,
      keyFrames: this.#past.keyFrames + keyFrames,
      bytes: this.#bytes,
      skippedBytes: this.#past.skippedBytes + skippedBytes,
      restarts: this.#restarts,
      fault: this.#fault,
      stderr: this.#stderr.lines,
    }
  }

  async #runOnce(signal: AbortSignal): Promise<void> {
    const { device, command, stallAfterMs } = this.#options
    this.#state = 'starting'
    if (device !== '' && !existsSync(device)) {
      throw new AppError(
        'CAMERA_MISSING',
        `camera ${device} is not there; "ls /dev/v4l/by-id" shows what is connected`,
      )
    }
    this.#stderr.clear()
    this.#renewCutter()
    try {
      await runEncoder(
        {
          command: command(),
          device,
          stallAfterMs,
          firstByteWithinMs: stallAfterMs + firstPictureExtraMs,
          onStart: (pid) => {
            this.#pid = pid
          },
          onBytes: (chunk) => this.#onBytes(chunk),
          stderr: this.#stderr,
          clock: this.#deps.clock,
        },
        signal,
      )
    } finally {
      // Packets of a frame that never got its end are worthless.
      this.#holdNoMore()
      this.#pid = undefined
    }
  }

  #onBytes(chunk: Buffer): void {
    if (this.#state !== 'live') {
      this.#state = 'live'
      this.#fault = undefined
      const { name, feed } = this.#options
      this.#deps.log.info({ camera: name, feed }, 'camera is live')
    }
    this.#cutter.push(chunk, this.#publish)
    if (this.#mayFlush) this.#holdOn()
  }

  /** What waits may go out after a pause; never a part of a frame whose length is known. */
  get #mayFlush(): boolean {
    return this.#cutter.awaitsUnknownEnd || this.#cutter.holdsBetweenFrames
  }

  /** One timer at a time; what comes meanwhile does not put it off. */
  #holdOn(): void {
    this.#cancelHold ??= this.#deps.clock.after(this.#holdMs, () => {
      this.#cancelHold = undefined
      if (this.#mayFlush) this.#cutter.flush(this.#publish)
    })
  }

  #holdNoMore(): void {
    this.#cancelHold?.()
    this.#cancelHold = undefined
  }

  readonly #publish = (data: Buffer): void => {
    this.#holdNoMore()
    this.#bytes += data.length
    this.#deps.hub.publish(this.#options.feed, { data, binary: true }, this)
  }

  #renewCutter(): void {
    const { frames, keyFrames, skippedBytes } = this.#cutter.counters
    this.#past = {
      frames: this.#past.frames + frames,
      keyFrames: this.#past.keyFrames + keyFrames,
      skippedBytes: this.#past.skippedBytes + skippedBytes,
    }
    this.#cutter = new TsCutter({ maxMessageBytes })
  }
}
