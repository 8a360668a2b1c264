import { systemClock } from '@relay/common/clock'
import type { Command } from '@relay/common/command-line'
import { exitCode, UnavailableError, UsageError } from '@relay/common/errors'
import type { Environment } from '@relay/common/proxy'
import type { CameraConfig } from '../config.ts'
import type { PictureSize } from './encoder-candidates.ts'
import { chosenEncoder, encoderReport, judgeTrials } from './encoder-report.ts'
import { findProgram } from './find-program.ts'
import { tryEncoders } from './try-encoders.ts'

export interface EncodersCommandDeps {
  /** Cameras and ffmpeg of a configuration file. */
  readonly readCameras: (
    path: string,
    environment: Environment,
  ) => {
    readonly ffmpeg: string
    readonly cameras: readonly CameraConfig[]
  }
}

const options = {
  config: {
    describe: 'take ffmpeg, size, frames and rate from this configuration file',
    type: 'string',
    requiresArg: true,
  },
  camera: {
    describe: 'the camera of the configuration file; else its first',
    type: 'string',
    requiresArg: true,
  },
  size: { describe: 'width x height', type: 'string', requiresArg: true, default: '640x480' },
  'frames-per-second': { describe: 'frames per second', type: 'number', requiresArg: true, default: 24 },
  'kilobits-per-second': { describe: 'rate of the video', type: 'number', requiresArg: true, default: 1000 },
  seconds: {
    describe: 'length of the video that each encodes',
    type: 'number',
    requiresArg: true,
    default: 4,
  },
  budget: {
    describe: 'how much processor time it may take, in percent of one core',
    type: 'number',
    requiresArg: true,
    default: 75,
  },
  ffmpeg: {
    describe: 'the program ffmpeg, by name or path',
    type: 'string',
    requiresArg: true,
    default: 'ffmpeg',
  },
  json: { describe: 'print it as JSON', type: 'boolean', default: false },
} as const

/** `relay-agent encoders`: which presets this board can do, and what each costs. */
export function encodersCommand({ readCameras }: EncodersCommandDeps): Command {
  return {
    usage: 'encoders',
    description: 'measure which encoders this machine has and what each costs',
    options,
    run: async (args, { environment, stdout, stderr, signal }) => {
      const asked = {
        ...fromArguments(args),
        ...fromFile(args, (path) => readCameras(path, environment)),
      }
      const { picture } = asked
      const videoMs = numberOf(args, 'seconds', { min: 1, max: 60 }) * 1000
      const maxCores = numberOf(args, 'budget', { min: 1, max: 6_400 }) / 100
      const ffmpeg = findProgram(asked.ffmpeg, environment.PATH)
      if (ffmpeg === undefined)
        throw new UnavailableError(
          'FFMPEG_MISSING',
          `the program ${asked.ffmpeg} is not installed; "apt install ffmpeg" does it`,
        )
      const trials = await tryEncoders({
        ffmpeg,
        picture,
        videoMs,
        clock: systemClock,
        signal,
        onResult: ({ candidate, outcome }) => stderr.write(`${candidate.name}: ${outcome}\n`),
      })
      if (signal.aborted) return exitCode.failed
      const verdicts = judgeTrials(trials, maxCores)
      const json = {
        picture,
        maxCores,
        chosen: chosenEncoder(verdicts)?.name ?? null,
        encoders: verdicts.map(({ trial: { candidate, ...measured }, fits }) => ({
          name: candidate.name,
          preset: candidate.preset,
          fits,
          ...measured,
        })),
      }
      stdout.write(
        args.json === true
          ? `${JSON.stringify(json, undefined, 2)}\n`
          : encoderReport(verdicts, { picture, maxCores }),
      )
      return exitCode.ok
    },
  }
}

interface Asked {
  readonly ffmpeg: string
  readonly picture: PictureSize
}

function fromArguments(args: Readonly<Record<string, unknown>>): Asked {
  const { size } = args
  if (typeof size !== 'string' || !/^[1-9]\d{1,3}x[1-9]\d{1,3}$/.test(size))
    throw new UsageError('--size must be width x height, such as 640x480')
  return {
    ffmpeg: String(args.ffmpeg),
    picture: {
      size,
      framesPerSecond: numberOf(args, 'frames-per-second', { min: 1, max: 120 }),
      bitsPerSecond: numberOf(args, 'kilobits-per-second', { min: 32, max: 50_000 }) * 1000,
    },
  }
}

function fromFile(
  { config, camera }: Readonly<Record<string, unknown>>,
  readCameras: (path: string) => ReturnType<EncodersCommandDeps['readCameras']>,
): Partial<Asked> {
  if (typeof config !== 'string') {
    if (camera !== undefined) throw new UsageError('--camera needs the file that it stands in, by --config')
    return {}
  }
  const { ffmpeg, cameras } = readCameras(config)
  const found = camera === undefined ? cameras[0] : cameras.find(({ name }) => name === camera)
  if (found === undefined)
    throw new UsageError(
      camera === undefined ? `${config} has no camera` : `${config} has no camera of that name`,
    )
  const { size, framesPerSecond, kilobitsPerSecond } = found
  return { ffmpeg, picture: { size, framesPerSecond, bitsPerSecond: kilobitsPerSecond * 1000 } }
}

function numberOf(
  args: Readonly<Record<string, unknown>>,
  name: string,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  const value = args[name]
  if (typeof value !== 'number' || !(value >= min && value <= max))
    throw new UsageError(`--${name} must be a number from ${min} to ${max}`)
  return value
}
