import { existsSync } from 'node:fs'
import type { Clock } from '@relay/common/clock'
import { AppError, errorCode } from '@relay/common/errors'
import { type RetryPolicy, retryDelayMs } from '@relay/common/keep-connected'
import type { Log } from '@relay/common/log'
import { type Fault, faultOf } from '@relay/common/fault'
import type { FeedHub, Member } from '../feeds/feed-hub.ts'
import { Progress } from '@relay/common/progress'
import type { Part } from '../part.ts'
import { RetryLog } from '@relay/common/retry-log'
import { CameraAudio } from './camera-audio.ts'
import { describeFormats } from './camera-formats.ts'
import { type CameraOptions, longestQuestionMs } from './camera-options.ts'
import { CameraRecovery, longestStepMs } from './camera-recovery.ts'
import type { CameraState, CameraStatus } from './camera-status.ts'
import { deviceIdentity } from './device-identity.ts'
import { EncoderStuckError, runEncoder, slackMs } from './encoder.ts'
import { FramePublisher } from './frame-publisher.ts'
import { LastLines } from './last-lines.ts'
import { PictureWatch } from './picture-watch.ts'
import { waitForDevice } from './wait-for-device.ts'

export interface CameraDeps {
  readonly hub: Pick<FeedHub, 'publish'>
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
}

/** A camera comes back within seconds after a fault, and a missing one costs next to nothing. */
const retryPolicy: RetryPolicy = { minMs: 500, maxMs: 10_000, stableAfterMs: 15_000 }
/** A camera may need so long for its first picture, beyond the time after which it counts as stalled. */
const firstPictureExtraMs = 10_000
/** udev has set owner and names by then. */
const settleMs = 200
const replugPollMs = 250
/** A camera that stays away is worked on so often, where that is allowed. */
const missingStepMs = 30_000
/** Its directory is watched; this is for file systems that tell no changes. */
const missingPollMs = 2_000

/**
 * One camera: keeps its encoder running and publishes each video frame as one binary message.
 *
 * Invariants: at most one encoder runs; frames are published in order and as soon as their last byte is here; sound
 * that fails does not take the picture with it; when `run` has resolved, no process of it is left (but one that hangs
 * in the kernel).
 */
export class Camera implements Member, Part {
  readonly name: string
  readonly progress: Progress
  readonly #options: CameraOptions
  readonly #deps: CameraDeps
  readonly #stderr = new LastLines({ maxLines: 20, maxLineLength: 300 })
  readonly #publisher: FramePublisher
  readonly #picture: PictureWatch | undefined
  readonly #audio: CameraAudio | undefined
  readonly #recovery: CameraRecovery
  readonly #retries: RetryLog
  #state: CameraState = 'stopped'
  #restarts = 0
  #attempt = 0
  #pid: number | undefined
  #fault: Fault | undefined
  #stuck: EncoderStuckError | undefined
  /** What the device of this identity offers; asked once for each. */
  #offer: { readonly identity: string; readonly text: string } | undefined

  constructor(options: CameraOptions, deps: CameraDeps) {
    const { name, feed, framesPerSecond, stallAfterMs, picture, audio, recovery } = options
    this.name = `camera ${name}`
    this.progress = new Progress(deps.clock)
    this.#options = options
    this.#deps = deps
    this.#publisher = new FramePublisher({
      framesPerSecond,
      publish: (data) => deps.hub.publish(feed, { data, binary: true }, this),
      clock: deps.clock,
    })
    this.#picture = picture && new PictureWatch({ camera: name, ...picture }, deps)
    this.#audio = audio && new CameraAudio({ camera: name, stallAfterMs, ...audio }, deps)
    this.#recovery = new CameraRecovery({ camera: name, ...recovery }, deps)
    this.#retries = new RetryLog({ camera: name }, deps)
  }

  /** A camera hears nothing. */
  deliver(): void {}

  /** Keeps the encoder running until `signal` aborts. Never rejects for a fault of the camera. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps
    while (!signal.aborted) {
      const startedAtMs = clock.monotonicMs()
      const error = await this.#runOnce(signal)
      if (signal.aborted) break
      if (clock.monotonicMs() - startedAtMs >= retryPolicy.stableAfterMs) this.#attempt = 0
      if (this.#audio?.explains(error) !== true) await this.#recover(error, signal)
    }
    this.#state = 'stopped'
    this.progress.rest()
  }

  status(): CameraStatus {
    const { frames, keyFrames, bytes, skippedBytes, audioUnits } = this.#publisher.counters
    const { name, feed } = this.#options
    return {
      name,
      feed,
      state: this.#state,
      pid: this.#pid,
      frames,
      keyFrames,
      bytes,
      skippedBytes,
      restarts: this.#restarts,
      fault: this.#fault,
      stderr: this.#stderr.lines,
      picture: this.#picture?.status,
      audio: this.#audio?.status(audioUnits),
      recovery: this.#recovery.status,
    }
  }

  get #isLive(): boolean {
    return this.#state === 'live'
  }

  /** Waits for the device and runs one encoder. Gives why it has ended, but for `signal`. */
  async #runOnce(signal: AbortSignal): Promise<unknown> {
    const { device, command, stallAfterMs } = this.#options
    await this.#awaitDevice(signal)
    if (signal.aborted) return undefined
    if (this.#stuck !== undefined) return this.#stuck
    this.#state = 'starting'
    this.#stderr.clear()
    this.progress.promise(slackMs)
    const identity = deviceIdentity(device)
    const audio = this.#audio?.begin() === true
    try {
      await runEncoder(
        {
          command: command({ audio }),
          device,
          stallAfterMs,
          firstByteWithinMs: stallAfterMs + firstPictureExtraMs,
          onStart: (pid) => {
            this.#pid = pid
          },
          onBytes: (chunk) => this.#onBytes(chunk),
          onThumbnails: this.#picture === undefined ? undefined : (chunk) => this.#picture?.push(chunk),
          shouldEnd: () => this.#shouldEnd(identity, signal),
          stderr: this.#stderr,
          clock: this.#deps.clock,
          progress: this.progress,
        },
        signal,
      )
      return undefined
    } catch (error) {
      if (error instanceof EncoderStuckError) void this.#rememberStuck(error)
      if (!this.#isLive) this.#audio?.neverSeen(error)
      return error
    } finally {
      this.#publisher.endStream()
      this.#picture?.endStream()
      this.#pid = undefined
    }
  }

  /** Returns when the device is there, or `signal` aborts. */
  async #awaitDevice(signal: AbortSignal): Promise<void> {
    const { device } = this.#options
    const { clock, log } = this.#deps
    if (device === '' || existsSync(device)) return
    const error = new AppError(
      'CAMERA_MISSING',
      `camera ${device} is not there; "ls /dev/v4l/by-id" shows what is connected`,
    )
    this.#state = 'waiting'
    this.#fault = faultOf(error, clock.nowMs())
    this.#retries.tell(
      { attempt: this.#attempt, delayMs: 0, error },
      'camera is missing, it starts when it is there',
    )
    this.#attempt += 1
    while (!signal.aborted && !existsSync(device)) {
      const round = new AbortController()
      const cancel = clock.after(missingStepMs, () => round.abort())
      const onLook = (): void => this.progress.promise(missingPollMs + slackMs)
      await waitForDevice(device, {
        signal: AbortSignal.any([signal, round.signal]),
        clock,
        pollMs: missingPollMs,
        onLook,
      })
      cancel()
      if (signal.aborted || existsSync(device)) break
      this.progress.promise(longestStepMs + slackMs)
      await this.#recovery.afterFailure('CAMERA_MISSING', false, signal)
    }
    await clock.sleep(settleMs, signal)
    if (!signal.aborted) log.debug({ camera: this.#options.name }, 'camera is there')
  }

  /** Does what helps, says what was wrong, and waits a moment. */
  async #recover(thrown: unknown, signal: AbortSignal): Promise<void> {
    const { device } = this.#options
    const { clock, random } = this.#deps
    this.progress.promise(longestQuestionMs + longestStepMs + slackMs)
    const error = await this.#explained(thrown, signal)
    await this.#recovery.afterFailure(errorCode(error), existsSync(device), signal)
    if (signal.aborted) return
    const delayMs = retryDelayMs(this.#attempt, retryPolicy, random)
    this.#state = 'waiting'
    this.#restarts += 1
    this.#fault = faultOf(error, clock.nowMs())
    this.#retries.tell({ attempt: this.#attempt, delayMs, error }, 'camera failed, will be started again')
    this.#attempt += 1
    this.progress.promise(delayMs + slackMs)
    await this.#pause(delayMs, signal)
  }

  /** Ends early when the device was pulled, or pulled and put back: what was wrong is over then. */
  async #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    const { device } = this.#options
    const { clock } = this.#deps
    if (device === '') return await clock.sleep(delayMs, signal)
    const before = deviceIdentity(device)
    // For one that is gone the next attempt waits.
    if (before === undefined) return
    const untilMs = clock.monotonicMs() + delayMs
    while (!signal.aborted && deviceIdentity(device) === before) {
      const leftMs = untilMs - clock.monotonicMs()
      if (leftMs <= 0) return
      await clock.sleep(Math.min(leftMs, replugPollMs), signal)
    }
  }

  /** Until it is gone no other encoder may be started. */
  async #rememberStuck(error: EncoderStuckError): Promise<void> {
    this.#stuck = error
    await error.gone
    this.#stuck = undefined
  }

  /** A wrong format is told with those that exist. */
  async #explained(error: unknown, signal: AbortSignal): Promise<unknown> {
    if (!(error instanceof AppError) || error.code !== 'CAMERA_WRONG_FORMAT') return error
    const identity = deviceIdentity(this.#options.device)
    if (identity === undefined) return error
    if (this.#offer?.identity !== identity) {
      const formats = await this.#options.listFormats(signal)
      this.#offer = { identity, text: formats === undefined ? '' : describeFormats(formats) }
    }
    if (this.#offer.text === '') return error
    const { message, details } = error
    const text = `${message}; camera offers: ${this.#offer.text}; asked: ${this.#options.asked}`
    return new AppError('CAMERA_WRONG_FORMAT', text, { details })
  }

  #onBytes(chunk: Buffer): void {
    if (this.#state !== 'live') {
      const { name, feed } = this.#options
      this.#state = 'live'
      this.#fault = undefined
      this.#audio?.seen(this.#publisher.counters.audioUnits)
      this.#deps.log.info({ camera: name, feed }, 'camera is live')
    }
    this.#publisher.push(chunk)
  }

  /** Why the encoder should be ended though it gives bytes. */
  #shouldEnd(identity: string | undefined, signal: AbortSignal): AppError | undefined {
    const { device } = this.#options
    if (device !== '' && deviceIdentity(device) !== identity)
      return new AppError('CAMERA_LOST', `camera ${device} went away while it was in use`)
    if (!this.#isLive) return undefined
    if (this.#picture?.isToRecover !== true) this.#recovery.isWell()
    return this.#audio?.judge(this.#publisher.counters.audioUnits, signal) ?? this.#picture?.judge()
  }
}
