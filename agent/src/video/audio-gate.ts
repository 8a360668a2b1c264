import type { AppError } from '@relay/common/errors'
import type { Fault } from '@relay/common/fault'
import { faultOf } from '@relay/common/fault'

export type AudioState = 'starting' | 'live' | 'failed'

export interface AudioStatus {
  readonly state: AudioState
  /** Pieces of sound that were carried. */
  readonly units: number
  readonly fault: Fault | undefined
}

/** Sound that failed is tried again so long after; the wait doubles each time, as each try may cost a moment of video. */
const firstRetryMs = 30_000
const longestRetryMs = 600_000
/** Sound that lasted so long was well. */
const stableAfterMs = 60_000

/**
 * Decides whether the next encoder of a camera gets its sound: a microphone that is gone must not take the picture
 * with it. Knows no clock; times are of one that never jumps.
 */
export class AudioGate {
  #failures = 0
  #retryAtMs = 0
  #liveSinceMs: number | undefined
  /** An encoder with sound failed for a reason that may be the camera's: the next goes without, to find out. */
  #isSuspected = false
  #isWithAudio = false
  #fault: Fault | undefined

  get state(): AudioState {
    if (this.#fault !== undefined) return 'failed'
    return this.#liveSinceMs === undefined ? 'starting' : 'live'
  }

  get fault(): Fault | undefined {
    return this.#fault
  }

  /** An encoder runs that was started with sound. */
  get isWithAudio(): boolean {
    return this.#isWithAudio
  }

  /** An encoder is started: with sound? */
  begin(): boolean {
    this.#isWithAudio = this.#fault === undefined && !this.#isSuspected
    this.#liveSinceMs = undefined
    return this.#isWithAudio
  }

  /** Sound has come. */
  heard(nowMs: number): void {
    this.#liveSinceMs ??= nowMs
    if (nowMs - this.#liveSinceMs >= stableAfterMs) this.#failures = 0
  }

  /** The first picture of this encoder has come. */
  seen(time: { readonly nowMs: number; readonly wallMs: number }, suspicion: AppError): void {
    // With sound there was none.
    if (this.#isSuspected && !this.#isWithAudio) this.failed(suspicion, time)
    this.#isSuspected = false
  }

  /** An encoder that never gave a picture has ended, for a reason that is not known to be the sound's. */
  neverSeen(): void {
    // In turn with and without, until one of them gives a picture.
    this.#isSuspected = this.#isWithAudio
  }

  /** The sound failed; the picture goes on without it. */
  failed(error: unknown, { nowMs, wallMs }: { readonly nowMs: number; readonly wallMs: number }): void {
    this.#fault = faultOf(error, wallMs)
    this.#retryAtMs = nowMs + Math.min(longestRetryMs, firstRetryMs * 2 ** this.#failures)
    this.#failures += 1
    this.#isSuspected = false
    this.#liveSinceMs = undefined
  }

  /** It is time to find out whether the sound can be had again. */
  isRetryDue(nowMs: number): boolean {
    return this.#fault !== undefined && nowMs >= this.#retryAtMs
  }

  /** It cannot be had yet. */
  stillFailed(nowMs: number): void {
    this.#retryAtMs = nowMs + Math.min(longestRetryMs, firstRetryMs * 2 ** this.#failures)
    this.#failures = Math.min(this.#failures + 1, 16)
  }

  /** It can be had again: the next encoder gets it. */
  mayComeBack(): void {
    this.#fault = undefined
  }
}
