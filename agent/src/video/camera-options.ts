import { systemClock } from '@relay/common/clock'
import { AppError } from '@relay/common/errors'
import type { Environment } from '@relay/common/proxy'
import type { CameraConfig } from '../config.ts'
import type { CameraAudioOptions } from './camera-audio.ts'
import type { CameraFormat } from './camera-formats.ts'
import type { CameraRecoveryOptions } from './camera-recovery.ts'
import type { EncoderCommand } from './encoder.ts'
import { audioProbeArguments, canWatchPicture, encoderArguments, needsDevice } from './encoder-presets.ts'
import { findFirst, findProgram } from './find-program.ts'
import { listCameraFormats } from './list-camera-formats.ts'
import { runTool } from './run-tool.ts'
import { siblingsOf, usbLocationOf } from './usb-location.ts'
import { cyclePortPower, resetUsbDevice } from './usb-recovery.ts'

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

/** Tools that are asked about camera or microphone have answered by then. */
export const longestQuestionMs = 8_000

/** Fonts that Debian and its relatives bring; the running clock of the test pattern takes the first that is there. */
const fontFiles = [
  '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf',
  '/usr/share/fonts/truetype/freefont/FreeSans.ttf',
  '/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf',
]

/** A camera as the configuration describes it. */
export function cameraOptions(config: CameraConfig, ffmpeg: string, environment: Environment): CameraOptions {
  const { name, feed, preset, framesPerSecond, size, stallAfter, audio, picture, recovery } = config
  const device = needsDevice(preset) ? config.device : ''
  const searchPath = environment.PATH
  const isWatched = picture.watch && canWatchPicture(preset)
  const inputFormat = preset === 'h264-copy' ? 'h264' : config.inputFormat
  return {
    name,
    feed,
    device,
    asked: `${inputFormat === '' ? '' : `${inputFormat} `}${size} at ${framesPerSecond} frames/s`,
    framesPerSecond,
    stallAfterMs: stallAfter,
    command: (wanted) => {
      const args = encoderArguments({
        preset,
        device,
        size,
        framesPerSecond,
        bitsPerSecond: config.kilobitsPerSecond * 1000,
        arguments: config.arguments,
        inputFormat,
        audio: wanted.audio
          ? { device: audio.device, bitsPerSecond: audio.kilobitsPerSecond * 1000 }
          : undefined,
        thumbnails: isWatched,
        fontFile: findFirst(fontFiles),
      })
      return dieWithParent({ file: findFfmpeg(ffmpeg, environment), args }, searchPath)
    },
    picture: isWatched
      ? { faultAfterMs: picture.faultAfter, recoverFrozen: picture.whenFrozen === 'recover' }
      : undefined,
    audio:
      audio.device === ''
        ? undefined
        : {
            device: audio.device,
            probe: (signal) => canHear(audio.device, findProgram(ffmpeg, searchPath), signal),
          },
    recovery: {
      upTo: recovery.upTo,
      locate: () => usbLocationOf(device),
      resetUsb: (location, signal) => resetUsbDevice(location, { searchPath, clock: systemClock, signal }),
      cyclePower: (location, signal) =>
        cyclePortPower(
          location,
          { siblings: siblingsOf(location), sharedHub: recovery.sharedHub },
          { searchPath, clock: systemClock, signal },
        ),
    },
    listFormats: async (signal) => {
      const answer = await listCameraFormats(device, { ffmpeg, searchPath, signal })
      return answer.ok ? answer.formats : undefined
    },
  }
}

/** A microphone that is there says something within this time. */
const audioProbeTimeoutMs = 5_000

async function canHear(device: string, ffmpeg: string | undefined, signal: AbortSignal): Promise<boolean> {
  if (ffmpeg === undefined) return false
  const limits = { timeoutMs: audioProbeTimeoutMs, clock: systemClock, signal }
  const { outcome, exitCode } = await runTool({ file: ffmpeg, args: audioProbeArguments(device) }, limits)
  return outcome === 'ended' && exitCode === 0
}

function findFfmpeg(ffmpeg: string, environment: Environment): string {
  const file = findProgram(ffmpeg, environment.PATH)
  if (file !== undefined) return file
  throw new AppError(
    'FFMPEG_MISSING',
    `the program ${ffmpeg} is not installed; "apt install ffmpeg" does it, or name it in video.ffmpeg`,
  )
}

/**
 * Lets the kernel kill the encoder when this process dies, however it dies (util-linux `setpriv`, where it is
 * installed): a camera must not stay in use by an encoder that nobody owns.
 */
function dieWithParent({ file, args }: EncoderCommand, searchPath: string | undefined): EncoderCommand {
  const setpriv = findProgram('setpriv', searchPath)
  if (setpriv === undefined) return { file, args }
  return { file: setpriv, args: ['--pdeathsig', 'KILL', '--', file, ...args] }
}
