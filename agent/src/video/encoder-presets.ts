/** Ways to make MPEG-TS of a camera. `custom` takes the argument list of the configuration. */
export const encoderPresets = [
  'mpeg1-compat',
  'h264-copy',
  'h264-v4l2m2m',
  'x264-ultrafast',
  'test-pattern',
  'custom',
] as const
export type EncoderPreset = (typeof encoderPresets)[number]

export interface EncoderSettings {
  readonly preset: EncoderPreset
  /** Path of a V4L2 device; not looked at by `test-pattern` and `custom`. */
  readonly device: string
  /** `640x480`. */
  readonly size: string
  readonly framesPerSecond: number
  readonly bitsPerSecond: number
  /** `custom`: everything between ffmpeg's own name and the output. */
  readonly arguments: readonly string[]
  /** A font for the running clock of the test pattern; without one it has no clock. */
  readonly fontFile: string | undefined
}

/** MPEG-1 knows no other frame rates (ISO/IEC 11172-2, 2.4.3.2); ffmpeg refuses to encode them. */
export const mpeg1FrameRates: readonly number[] = [23.976, 24, 25, 29.97, 30, 50, 59.94, 60]

/** Presets whose picture is MPEG-1. */
export function makesMpeg1(preset: EncoderPreset): boolean {
  return preset === 'mpeg1-compat' || preset === 'test-pattern'
}

/** Presets that read a V4L2 device. */
export function needsDevice(preset: EncoderPreset): boolean {
  return preset !== 'test-pattern' && preset !== 'custom'
}

/** No questions, no progress lines; what goes wrong is said on stderr. */
const head = ['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'warning'] as const

/**
 * MPEG-TS to stdout, each frame written as soon as it is encoded. With the length of a frame in its PES packet the
 * agent, and a browser's player, know its end without waiting for the next one: a frame time less delay.
 */
const tail = ['-f', 'mpegts', '-flush_packets', '1', '-omit_video_pes_length', '0', 'pipe:1'] as const

/** ffmpeg's arguments for a camera. Pure; never goes through a shell. */
export function encoderArguments(settings: EncoderSettings): readonly string[] {
  return [...head, ...inputAndCodec(settings), ...tail]
}

function inputAndCodec(settings: EncoderSettings): readonly string[] {
  const rate = String(settings.framesPerSecond)
  const bitrate = `${Math.round(settings.bitsPerSecond / 1000)}k`
  // One key frame a second: what a viewer waits for at most.
  const everySecond = ['-g', String(Math.round(settings.framesPerSecond)), '-bf', '0']
  // Parameter sets before each key frame, so that a viewer can begin there.
  const headersAtKeyFrames = ['-bsf:v', 'dump_extra=freq=keyframe']
  const h264 = ['-an', '-r', rate, '-pix_fmt', 'yuv420p', '-b:v', bitrate, ...everySecond, '-c:v']
  const lowDelay = ['-preset', 'ultrafast', '-tune', 'zerolatency', '-maxrate', bitrate, '-bufsize', bitrate]
  const byPreset: Readonly<Record<EncoderPreset, () => readonly string[]>> = {
    // A camera may give another size than it is asked for; pages of the fleet count on this one.
    'mpeg1-compat': () => [...v4l2Input(settings), ...mpeg1(rate, bitrate), '-s', settings.size],
    'h264-copy': () => [
      ...v4l2Input(settings, ['-input_format', 'h264']),
      '-an',
      '-c:v',
      'copy',
      ...headersAtKeyFrames,
    ],
    'h264-v4l2m2m': () => [...v4l2Input(settings), ...h264, 'h264_v4l2m2m', ...headersAtKeyFrames],
    'x264-ultrafast': () => [...v4l2Input(settings), ...h264, 'libx264', ...lowDelay],
    'test-pattern': () => ['-re', '-f', 'lavfi', '-i', testPattern(settings), ...mpeg1(rate, bitrate)],
    custom: () => settings.arguments,
  }
  return byPreset[settings.preset]()
}

function v4l2Input(
  { device, size, framesPerSecond }: EncoderSettings,
  format: readonly string[] = [],
): readonly string[] {
  const rate = String(framesPerSecond)
  return [
    '-fflags',
    'nobuffer',
    '-f',
    'v4l2',
    ...format,
    '-framerate',
    rate,
    '-video_size',
    size,
    '-i',
    device,
  ]
}

/** The fleet's picture: 1000 kb/s, no B-frames, so that frames come in the order in which they are shown. */
function mpeg1(rate: string, bitrate: string): readonly string[] {
  return ['-an', '-r', rate, '-c:v', 'mpeg1video', '-b:v', bitrate, '-bf', '0']
}

function testPattern({ size, framesPerSecond, fontFile }: EncoderSettings): string {
  const source = `testsrc2=size=${size}:rate=${framesPerSecond}`
  if (fontFile === undefined) return source
  // Two levels of quoting, the filter graph's and the option's (ffmpeg-filters, "Notes on filtergraph escaping").
  const clock = String.raw`text='%{localtime\:%H\\\:%M\\\:%S} %{n}'`
  const style = 'fontsize=h/12:fontcolor=white:box=1:boxcolor=black:boxborderw=8:x=(w-tw)/2:y=h-2*th'
  return `${source},drawtext=fontfile='${fontFile}':${clock}:${style}`
}
