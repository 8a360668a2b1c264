import { AppError } from '@relay/common/errors'

/** How an encoder ended, as far as one can see from outside. */
export interface EncoderEnd {
  readonly exitCode: number | null
  readonly signal: string | null
  /** What it said last. */
  readonly stderrLines: readonly string[]
  /** The configured device; '' where there is none. */
  readonly device: string
}

interface Symptom {
  readonly pattern: RegExp
  readonly code: string
  readonly sentence: (device: string) => string
}

/** In the order in which they count: the first that fits is the cause. */
const symptoms: readonly Symptom[] = [
  {
    // libavdevice/alsa.c
    pattern:
      /cannot open audio device|cannot (?:set|allocate|initialize|get) (?:hw_params|hw parameters|hw params|hardware parameter structure|access type|sample format|sample rate|channel count|parameters)|unknown input format: 'alsa'/i,
    code: 'AUDIO_FAILED',
    sentence: () => 'the sound cannot be had; "arecord -L" lists the names of microphones',
  },
  {
    pattern: /device or resource busy/i,
    code: 'CAMERA_BUSY',
    sentence: (device) =>
      `camera ${device} is used by another program; "fuser ${device}" shows which, end that first`,
  },
  {
    pattern: /\/dev\/\S+: (?:permission denied|operation not permitted)/i,
    code: 'CAMERA_FORBIDDEN',
    sentence: (device) => `camera ${device} may not be read; add the user of the agent to the group "video"`,
  },
  {
    pattern: /\/dev\/\S+: (?:no such file or directory|no such device)|cannot open video device/i,
    code: 'CAMERA_MISSING',
    sentence: (device) => `camera ${device} is not there; "ls /dev/v4l/by-id" shows what is connected`,
  },
  {
    pattern: /no such device|input\/output error|VIDIOC_DQBUF/i,
    code: 'CAMERA_LOST',
    sentence: (device) => `camera ${device} went away while it was in use`,
  },
  {
    pattern:
      /not a video capture device|inappropriate ioctl|cannot find a proper format|no such input format|VIDIOC_S_FMT|VIDIOC_S_PARM|the v4l2 driver changed|not supported by this device/i,
    code: 'CAMERA_WRONG_FORMAT',
    sentence: (device) =>
      `camera ${device} cannot deliver what is asked for; "v4l2-ctl -d ${device} --list-formats-ext" shows what it can`,
  },
  {
    pattern:
      /unknown encoder|unrecognized option|option not found|unknown input format|no such filter|error parsing|error splitting the argument list|unknown decoder|trailing option|does not support .* fps|cannot find a valid|could not find a valid device/i,
    code: 'ENCODER_OPTIONS_WRONG',
    sentence: () => 'ffmpeg does not take these settings',
  },
]

/** One error with a stable code for an encoder that ended by itself. Pure. */
export function diagnoseEncoder({ exitCode, signal, stderrLines, device }: EncoderEnd): AppError {
  const details = { exitCode, signal, stderr: stderrLines.slice(-5) }
  const last = stderrLines.at(-1)
  const said = last === undefined ? '' : `; it said: ${last}`
  const all = stderrLines.join('\n')
  const symptom = symptoms.find(({ pattern }) => pattern.test(all))
  if (symptom !== undefined)
    return new AppError(symptom.code, `${symptom.sentence(device)}${said}`, { details })
  const how = signal === null ? `with exit code ${exitCode ?? 'unknown'}` : `by ${signal}`
  return new AppError('ENCODER_ENDED', `ffmpeg ended ${how}${said}`, { details })
}
