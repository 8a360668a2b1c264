import type { Clock } from '@relay/common/clock'
import { AppError, errorCode } from '@relay/common/errors'
import type { Log } from '@relay/common/log'
import { AudioGate, type AudioStatus } from './audio-gate.ts'

export interface CameraAudioOptions {
  /** For error texts. */
  readonly device: string
  /** Whether it can be heard, found out without the camera. Ends soon, never rejects. */
  readonly probe: (signal: AbortSignal) => Promise<boolean>
}

export interface CameraAudioDeps {
  readonly clock: Clock
  readonly log: Log
}

/** What ffmpeg ends with where a microphone is at fault and does not say so. */
const maybeOfAudio: ReadonlySet<string | undefined> = new Set([
  'CAMERA_LOST',
  'ENCODER_ENDED',
  'ENCODER_OPTIONS_WRONG',
  'ENCODER_STALLED',
])

/** The sound of one camera: notices when it fails, and finds out when it can be had again. */
export class CameraAudio {
  readonly #options: CameraAudioOptions & { readonly camera: string; readonly stallAfterMs: number }
  readonly #deps: CameraAudioDeps
  readonly #gate = new AudioGate()
  /** When sound came last, and how much of it until then. */
  #heard = { units: 0, atMs: 0 }
  #probe: 'idle' | 'running' | 'good' = 'idle'

  constructor(
    options: CameraAudioOptions & { readonly camera: string; readonly stallAfterMs: number },
    deps: CameraAudioDeps,
  ) {
    this.#options = options
    this.#deps = deps
  }

  /** `units`: pieces of sound that were carried. */
  status(units: number): AudioStatus {
    return { state: this.#gate.state, units, fault: this.#gate.fault }
  }

  /** An encoder is started: with sound? */
  begin(): boolean {
    return this.#gate.begin()
  }

  /** The first picture of this encoder has come; `units` of sound had come before. */
  seen(units: number): void {
    const { clock } = this.#deps
    const time = { nowMs: clock.monotonicMs(), wallMs: clock.nowMs() }
    const suspicion = `ffmpeg gives a picture only without the sound of ${this.#options.device}`
    this.#heard = { units, atMs: time.nowMs }
    this.#gate.seen(time, new AppError('AUDIO_FAILED', suspicion))
  }

  /** An encoder that never gave a picture has ended. */
  neverSeen(error: unknown): void {
    if (maybeOfAudio.has(errorCode(error))) this.#gate.neverSeen()
  }

  /** Asked twice a second while there is a picture: why the encoder should be started anew, because of the sound. */
  judge(units: number, signal: AbortSignal): AppError | undefined {
    const { device, stallAfterMs } = this.#options
    const nowMs = this.#deps.clock.monotonicMs()
    if (this.#gate.isWithAudio) {
      if (units !== this.#heard.units) {
        this.#heard = { units, atMs: nowMs }
        this.#gate.heard(nowMs)
      }
      if (nowMs - this.#heard.atMs < stallAfterMs) return undefined
      return new AppError('AUDIO_STALLED', `no sound came from ${device} for ${stallAfterMs / 1000} s`)
    }
    if (this.#probe === 'good') {
      this.#probe = 'idle'
      return new AppError('AUDIO_BACK', 'the sound can be had again')
    }
    if (this.#probe === 'idle' && this.#gate.isRetryDue(nowMs)) void this.#findOut(signal)
    return undefined
  }

  /**
   * Whether an encoder ended because of the sound alone. Then the next one may start at once: without it, or with it
   * again.
   */
  explains(error: unknown): boolean {
    const { clock, log } = this.#deps
    const { camera } = this.#options
    const code = errorCode(error)
    if (code === 'AUDIO_BACK') {
      this.#gate.mayComeBack()
      log.info({ camera }, 'sound of camera can be had again, encoder is started anew')
      return true
    }
    if (code !== 'AUDIO_FAILED' && code !== 'AUDIO_STALLED') return false
    this.#gate.failed(error, { nowMs: clock.monotonicMs(), wallMs: clock.nowMs() })
    log.warn({ camera, error }, 'sound of camera failed, picture goes on without it')
    return true
  }

  /** In the background: the picture goes on meanwhile. */
  async #findOut(signal: AbortSignal): Promise<void> {
    this.#probe = 'running'
    const isGood = await this.#options.probe(signal)
    this.#probe = isGood ? 'good' : 'idle'
    if (!isGood) this.#gate.stillFailed(this.#deps.clock.monotonicMs())
  }
}
