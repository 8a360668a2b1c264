import { existsSync } from 'node:fs'
import type { Clock } from '@relay/common/clock'
import { AppError, errorCode } from '@relay/common/errors'
import { type RetryPolicy, retryDelayMs } from '@relay/common/keep-connected'
import type { Log } from '@relay/common/log'
import { type Fault, faultOf } from '../fault.ts'
import type { FeedHub, Member } from '../feeds/feed-hub.ts'
import { Progress } from '../health/progress.ts'
import type { Part } from '../part.ts'
import { RetryLog } from '../retry-log.ts'
import { AudioGate, type AudioStatus } from './audio-gate.ts'
import { type CameraFormat, describeFormats } from './camera-formats.ts'
import {
  CameraRecovery,
  type CameraRecoveryOptions,
  longestStepMs,
  type RecoveryStatus,
} from './camera-recovery.ts'
import { deviceIdentity } from './device-identity.ts'
import { type EncoderCommand, EncoderStuckError, runEncoder, slackMs } from './encoder.ts'
import { FramePublisher } from './frame-publisher.ts'
import { LastLines } from './last-lines.ts'
import { type PictureStatus, PictureWatch } from './picture-watch.ts'
import { mayRecoverFrozen } from './recovery-step.ts'
import { waitForDevice } from './wait-for-device.ts'

export interface CameraOptions {
  readonly name: string
  /** Where its frames are published. */
  readonly feed: string
  /** '' where the encoder reads no device. */
  readonly device: string
  /** What the camera is asked for, for a sentence: `640x480 at 24 frames/s`. */
  readonly asked: string
  /** Looked up at each start, as programs come and go with package updates. */
  readonly command: (wanted: { readonly audio: boolean }) => EncoderCommand
  readonly framesPerSecond: number
  readonly stallAfterMs: number
  /** Undefined where the picture is not looked at. */
  readonly picture: PictureOptions | undefined
  /** Undefined for a video without sound. */
  readonly audio: CameraAudioOptions | undefined
  readonly recovery: Omit<CameraRecoveryOptions, 'camera'>
  /** What the camera offers; undefined where it does not tell. Ends within `longestQuestionMs`, never rejects. */
  readonly listFormats: (signal: AbortSignal) => Promise<readonly CameraFormat[] | undefined>
}

export interface PictureOptions {
  readonly faultAfterMs: number
  /** A frozen picture is worked on; else it is only told. */
  readonly recoverFrozen: boolean
}

export interface CameraAudioOptions {
  /** For error texts. */
  readonly device: string
  /** Whether it can be heard, found out without the camera. Ends within `longestQuestionMs`, never rejects. */
  readonly probe: (signal: AbortSignal) => Promise<boolean>
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
  /** Undefined where it is not looked at. */
  readonly picture?: PictureStatus | undefined
  /** Undefined for a video without sound. */
  readonly audio?: AudioStatus | undefined
  readonly recovery?: RecoveryStatus
}

/** A camera comes back within seconds after a fault, and a missing one costs next to nothing. */
const retryPolicy: RetryPolicy = { minMs: 500, maxMs: 10_000, stableAfterMs: 15_000 }
/** A camera may need so long for its first picture, beyond the time after which it counts as stalled. */
const firstPictureExtraMs = 10_000
/** Tools that are asked about camera or microphone have answered by then. */
export const longestQuestionMs = 8_000
/** udev has set owner and names by then. */
const settleMs = 200
const replugPollMs = 250
/** A camera that stays away is worked on so often, where that is allowed. */
const missingStepMs = 30_000

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
  readonly #audio: AudioGate
  readonly #recovery: CameraRecovery
  readonly #retries: RetryLog
  #state: CameraState = 'stopped'
  #restarts = 0
  #attempt = 0
  #pid: number | undefined
  #fault: Fault | undefined
  #stuck: EncoderStuckError | undefined
  /** When sound came last, and how much of it until then. */
  #heard = { units: 0, atMs: 0 }
  #audioProbe: 'idle' | 'running' | 'good' = 'idle'
  #frozen = { attempts: 0, lastAtMs: 0 }
  /** What the device of this identity offers; asked once for each. */
  #offer: { readonly identity: string; readonly text: string } | undefined

  constructor(options: CameraOptions, deps: CameraDeps) {
    const { name, feed, framesPerSecond, picture, audio, recovery } = options
    this.name = `camera ${name}`
    this.progress = new Progress(deps.clock)
    this.#options = options
    this.#deps = deps
    this.#publisher = new FramePublisher({
      framesPerSecond,
      publish: (data) => deps.hub.publish(feed, { data, binary: true }, this),
      clock: deps.clock,
    })
    if (picture !== undefined)
      this.#picture = new PictureWatch({ camera: name, faultAfterMs: picture.faultAfterMs }, deps)
    this.#audio = new AudioGate({ isConfigured: audio !== undefined })
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
      if (!this.#isAboutAudio(error)) await this.#recover(error, signal)
    }
    this.#state = 'stopped'
    this.progress.rest()
  }

  status(): CameraStatus {
    const { frames, keyFrames, bytes, skippedBytes, audioUnits } = this.#publisher.counters
    const { name, feed, audio } = this.#options
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
      audio:
        audio === undefined
          ? undefined
          : { state: this.#audio.state, units: audioUnits, fault: this.#audio.fault },
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
    const audio = this.#audio.begin()
    this.#heard = { units: this.#publisher.counters.audioUnits, atMs: Number.POSITIVE_INFINITY }
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
      if (audio && !this.#isLive) this.#audio.neverSeen()
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
      const onLook = (): void => this.progress.promise(missingStepMs + slackMs)
      await waitForDevice(device, { signal: AbortSignal.any([signal, round.signal]), clock, onLook })
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
    const untilMs = clock.monotonicMs() + delayMs
    while (!signal.aborted && deviceIdentity(device) === before) {
      const leftMs = untilMs - clock.monotonicMs()
      if (leftMs <= 0) return
      await clock.sleep(Math.min(leftMs, replugPollMs), signal)
    }
  }

  /** Whether only the sound was at fault: then the encoder is started again at once, without it or with it again. */
  #isAboutAudio(error: unknown): boolean {
    const { clock, log } = this.#deps
    const code = errorCode(error)
    if (code === 'AUDIO_BACK') {
      this.#audio.mayComeBack()
      log.info({ camera: this.#options.name }, 'sound of camera can be had again, encoder is started anew')
      return true
    }
    if (code !== 'AUDIO_FAILED' && code !== 'AUDIO_STALLED') return false
    this.#audio.failed(error, { nowMs: clock.monotonicMs(), wallMs: clock.nowMs() })
    log.warn({ camera: this.#options.name, error }, 'sound of camera failed, picture goes on without it')
    return true
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
      const { clock, log } = this.#deps
      const { name, feed, audio } = this.#options
      this.#state = 'live'
      this.#fault = undefined
      this.#heard = { ...this.#heard, atMs: clock.monotonicMs() }
      this.#audio.seen(
        { nowMs: clock.monotonicMs(), wallMs: clock.nowMs() },
        new AppError('AUDIO_FAILED', `ffmpeg gives a picture only without the sound of ${audio?.device}`),
      )
      log.info({ camera: name, feed }, 'camera is live')
    }
    this.#publisher.push(chunk)
  }

  /** Why the encoder should be ended though it gives bytes. */
  #shouldEnd(identity: string | undefined, signal: AbortSignal): AppError | undefined {
    const { device } = this.#options
    if (device !== '' && deviceIdentity(device) !== identity)
      return new AppError('CAMERA_LOST', `camera ${device} went away while it was in use`)
    if (this.#state !== 'live') return undefined
    return this.#judgeAudio(signal) ?? this.#judgePicture()
  }

  #judgeAudio(signal: AbortSignal): AppError | undefined {
    const { audio, stallAfterMs } = this.#options
    if (audio === undefined) return undefined
    const nowMs = this.#deps.clock.monotonicMs()
    if (this.#audio.isWithAudio) {
      const { audioUnits } = this.#publisher.counters
      if (audioUnits !== this.#heard.units) {
        this.#heard = { units: audioUnits, atMs: nowMs }
        this.#audio.heard(nowMs)
      }
      if (nowMs - this.#heard.atMs < stallAfterMs) return undefined
      return new AppError('AUDIO_STALLED', `no sound came from ${audio.device} for ${stallAfterMs / 1000} s`)
    }
    if (this.#audioProbe === 'good') {
      this.#audioProbe = 'idle'
      return new AppError('AUDIO_BACK', 'the sound can be had again')
    }
    if (this.#audioProbe === 'idle' && this.#audio.isRetryDue(nowMs)) void this.#probeAudio(audio, signal)
    return undefined
  }

  /** In the background: the picture goes on meanwhile. */
  async #probeAudio({ probe }: CameraAudioOptions, signal: AbortSignal): Promise<void> {
    this.#audioProbe = 'running'
    const isGood = await probe(signal)
    this.#audioProbe = isGood ? 'good' : 'idle'
    if (!isGood) this.#audio.stillFailed(this.#deps.clock.monotonicMs())
  }

  #judgePicture(): AppError | undefined {
    const { picture } = this.#options
    const isFrozen = picture?.recoverFrozen === true && this.#picture?.status.state === 'frozen'
    if (!isFrozen) {
      this.#recovery.isWell()
      if (this.#picture?.status.state !== 'frozen') this.#frozen = { attempts: 0, lastAtMs: 0 }
      return undefined
    }
    const { attempts, lastAtMs } = this.#frozen
    const nowMs = this.#deps.clock.monotonicMs()
    if (!mayRecoverFrozen(attempts, nowMs - lastAtMs)) return undefined
    this.#frozen = { attempts: attempts + 1, lastAtMs: nowMs }
    const seconds = picture.faultAfterMs / 1000
    return new AppError(
      'CAMERA_FROZEN',
      `the picture has not changed by a single bit for ${seconds} s or more`,
    )
  }
}
