import { AppError } from '@relay/common/errors'
import type { Environment } from '@relay/common/proxy'
import type { CameraConfig } from '../config.ts'
import type { CameraOptions } from './camera.ts'
import type { EncoderCommand } from './encoder.ts'
import { encoderArguments, needsDevice } from './encoder-presets.ts'
import { findFirst, findProgram } from './find-program.ts'

/** Fonts that Debian and its relatives bring; the running clock of the test pattern takes the first that is there. */
const fontFiles = [
  '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf',
  '/usr/share/fonts/truetype/freefont/FreeSans.ttf',
  '/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf',
]

/** A camera as the configuration describes it. */
export function cameraOptions(config: CameraConfig, ffmpeg: string, environment: Environment): CameraOptions {
  const { name, feed, preset, framesPerSecond, stallAfter } = config
  const device = needsDevice(preset) ? config.device : ''
  return {
    name,
    feed,
    device,
    framesPerSecond,
    stallAfterMs: stallAfter,
    command: () => {
      const args = encoderArguments({
        preset,
        device,
        size: config.size,
        framesPerSecond,
        bitsPerSecond: config.kilobitsPerSecond * 1000,
        arguments: config.arguments,
        fontFile: findFirst(fontFiles),
      })
      return dieWithParent({ file: findFfmpeg(ffmpeg, environment), args }, environment.PATH)
    },
  }
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
