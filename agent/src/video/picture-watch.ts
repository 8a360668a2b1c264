import type { Clock } from '@relay/common/clock'
import { AppError } from '@relay/common/errors'
import type { Log } from '@relay/common/log'
import { PictureJudge, type PictureState } from './picture-judge.ts'
import { mayRecoverFrozen } from './recovery-step.ts'
import { ThumbnailReader, thumbnailSize } from './thumbnail-reader.ts'

export interface PictureWatchOptions {
  /** Name of the camera, for the log. */
  readonly camera: string
  readonly faultAfterMs: number
  /** A frozen picture is worked on; else it is only told. */
  readonly recoverFrozen: boolean
}

export interface PictureStatus {
  readonly state: PictureState
  /** Wall clock. */
  readonly sinceMs: number
  /** How often it became frozen, and black. */
  readonly frozenTimes: number
  readonly blackTimes: number
}

/** Looks more often than this say nothing more. */
const lookEveryMs = 900

/** Watches the thumbnails of a camera and tells the log when its picture is lost and when it is back. */
export class PictureWatch {
  readonly #options: PictureWatchOptions
  readonly #deps: { readonly clock: Clock; readonly log: Log }
  readonly #reader = new ThumbnailReader(thumbnailSize)
  readonly #judge: PictureJudge
  #lastLookMs = Number.NEGATIVE_INFINITY
  #state: PictureState = 'unseen'
  #sinceMs: number
  #frozenTimes = 0
  #blackTimes = 0
  /** Of this freeze: how often the encoder was started anew, and when last. */
  #recoveries = { attempts: 0, lastAtMs: 0 }

  constructor(options: PictureWatchOptions, deps: { readonly clock: Clock; readonly log: Log }) {
    this.#options = options
    this.#deps = deps
    this.#judge = new PictureJudge({ afterMs: options.faultAfterMs })
    this.#sinceMs = deps.clock.nowMs()
  }

  get status(): PictureStatus {
    return {
      state: this.#state,
      sinceMs: this.#sinceMs,
      frozenTimes: this.#frozenTimes,
      blackTimes: this.#blackTimes,
    }
  }

  push(chunk: Buffer): void {
    const thumbnail = this.#reader.push(chunk)
    const nowMs = this.#deps.clock.monotonicMs()
    if (thumbnail === undefined || nowMs - this.#lastLookMs < lookEveryMs) return
    this.#lastLookMs = nowMs
    this.#become(this.#judge.look(thumbnail, nowMs))
  }

  /** An encoder has ended. What was seen stays: only the next picture shows whether a new start helped. */
  endStream(): void {
    this.#reader.clear()
  }

  /** Whether frozen pictures are worked on and this is one. */
  get isToRecover(): boolean {
    return this.#options.recoverFrozen && this.#state === 'frozen'
  }

  /** Asked twice a second while pictures come: why the encoder should be started anew, because of the picture. */
  judge(): AppError | undefined {
    const nowMs = this.#deps.clock.monotonicMs()
    const { attempts, lastAtMs } = this.#recoveries
    if (!this.isToRecover || !mayRecoverFrozen(attempts, nowMs - lastAtMs)) return undefined
    this.#recoveries = { attempts: attempts + 1, lastAtMs: nowMs }
    const seconds = this.#options.faultAfterMs / 1000
    return new AppError(
      'CAMERA_FROZEN',
      `the picture has not changed by a single bit for ${seconds} s or more`,
    )
  }

  #become(state: PictureState): void {
    const before = this.#state
    if (state === before) return
    const { clock, log } = this.#deps
    const { camera, faultAfterMs } = this.#options
    this.#state = state
    if (before === 'frozen') this.#recoveries = { attempts: 0, lastAtMs: 0 }
    this.#sinceMs = clock.nowMs()
    if (state === 'frozen') {
      this.#frozenTimes += 1
      log.warn({ camera, unchangedMs: faultAfterMs }, 'picture of camera is frozen')
    } else if (state === 'black') {
      this.#blackTimes += 1
      log.warn({ camera, blackMs: faultAfterMs }, 'picture of camera is black')
    } else if (before === 'frozen' || before === 'black') {
      log.info({ camera, was: before }, 'picture of camera is back')
    }
  }
}
