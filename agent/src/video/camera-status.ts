import type { Fault } from '@relay/common/fault'
import type { AudioStatus } from './audio-gate.ts'
import type { RecoveryStatus } from './camera-recovery.ts'
import type { PictureStatus } from './picture-watch.ts'

export type CameraState = 'stopped' | 'starting' | 'live' | 'waiting'

/** How a camera does. Holds no secret. */
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
