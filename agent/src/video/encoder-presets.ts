import { thumbnailSize } from './thumbnail-reader.ts'

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
  /** ffmpeg's name of the pixel format that the camera is asked for; '': ffmpeg chooses. */
  readonly inputFormat: string
  /** Undefined: a video without sound. */
  readonly audio: AudioSettings | undefined
  /** Small pictures for the picture watch go to file descriptor 3. */
  readonly thumbnails: boolean
  /** A font for the running clock of the test pattern; without one it has no clock. */
  readonly fontFile: string | undefined
}

export interface AudioSettings {
  /** Name of an ALSA device, or `test-tone`. */
  readonly device: string
  readonly bitsPerSecond: number
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

/** Presets that decode the picture, so that looking at it costs next to nothing. */
export function canWatchPicture(preset: EncoderPreset): boolean {
  return preset !== 'h264-copy' && preset !== 'custom'
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
  if (settings.preset === 'custom') return [...head, ...settings.arguments, ...tail]
  const { audio } = settings
  return [
    ...head,
    ...videoInput(settings),
    ...(audio === undefined ? [] : audioInput(audio.device)),
    ...(audio === undefined ? ['-an'] : ['-map', '0:v', '-map', '1:a']),
    ...videoCodec(settings),
    ...(audio === undefined ? [] : audioCodec(audio)),
    ...tail,
    ...(settings.thumbnails ? thumbnailOutput(settings) : []),
  ]
}

/** ffmpeg's arguments for finding out whether sound can be had: it hears for a fifth of a second and keeps nothing. */
export function audioProbeArguments(device: string): readonly string[] {
  return [...head, ...audioInput(device), '-t', '0.2', '-f', 'null', '-']
}

function videoInput(settings: EncoderSettings): readonly string[] {
  const { preset, device, size, framesPerSecond, audio } = settings
  if (preset === 'test-pattern') return ['-re', '-f', 'lavfi', '-i', testPattern(settings)]
  const format = preset === 'h264-copy' ? 'h264' : settings.inputFormat
  return [
    '-fflags',
    'nobuffer',
    ...(audio === undefined ? [] : inputQueue),
    '-f',
    'v4l2',
    ...(format === '' ? [] : ['-input_format', format]),
    '-framerate',
    String(framesPerSecond),
    '-video_size',
    size,
    '-i',
    device,
  ]
}

/** Codec and its settings, for the output; nothing for `custom`. Pure. */
export function videoCodec({
  preset,
  size,
  framesPerSecond,
  bitsPerSecond,
}: Pick<EncoderSettings, 'preset' | 'size' | 'framesPerSecond' | 'bitsPerSecond'>): readonly string[] {
  const rate = ['-r', String(framesPerSecond)]
  const bitrate = `${Math.round(bitsPerSecond / 1000)}k`
  // The fleet's picture: 1000 kb/s, no B-frames, so that frames come in the order in which they are shown.
  const mpeg1 = [...rate, '-c:v', 'mpeg1video', '-b:v', bitrate, '-bf', '0']
  // One key frame a second: what a viewer waits for at most.
  const everySecond = ['-g', String(Math.round(framesPerSecond)), '-bf', '0']
  // Parameter sets before each key frame, so that a viewer can begin there.
  const headersAtKeyFrames = ['-bsf:v', 'dump_extra=freq=keyframe']
  const h264 = [...rate, '-pix_fmt', 'yuv420p', '-b:v', bitrate, ...everySecond, '-c:v']
  const lowDelay = ['-preset', 'ultrafast', '-tune', 'zerolatency', '-maxrate', bitrate, '-bufsize', bitrate]
  const byPreset: Readonly<Record<Exclude<EncoderPreset, 'custom'>, readonly string[]>> = {
    // A camera may give another size than it is asked for; pages of the fleet count on this one.
    'mpeg1-compat': [...mpeg1, '-s', size],
    'h264-copy': ['-c:v', 'copy', ...headersAtKeyFrames],
    'h264-v4l2m2m': [...h264, 'h264_v4l2m2m', ...headersAtKeyFrames],
    'x264-ultrafast': [...h264, 'libx264', ...lowDelay],
    'test-pattern': mpeg1,
  }
  return preset === 'custom' ? [] : byPreset[preset]
}

/** Camera and microphone are read by threads of their own; these packets may wait for the other. */
const inputQueue = ['-thread_queue_size', '64'] as const

function audioInput(device: string): readonly string[] {
  if (device === testTone) return ['-re', '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000']
  return [...inputQueue, '-f', 'alsa', '-i', device]
}

/** A tone in place of a microphone, for trying out. */
export const testTone = 'test-tone'

/**
 * MP2, the sound that jsmpeg plays. Each 24 ms go out by themselves (by default ffmpeg gathers a third of a second),
 * and a frame waits at most 0.1 s for the sound that belongs before it (by default 10 s, should the sound end).
 */
function audioCodec({ bitsPerSecond }: AudioSettings): readonly string[] {
  const codec = ['-c:a', 'mp2', '-b:a', `${Math.round(bitsPerSecond / 1000)}k`, '-ac', '1', '-ar', '48000']
  const steady = ['-af', 'aresample=async=1']
  const prompt = ['-max_interleave_delta', '100000', '-muxdelay', '0', '-muxpreload', '0']
  return [...codec, ...steady, ...prompt, '-pes_payload_size', '0']
}

/**
 * Points of the picture as they are, not means of their surroundings: that costs least and keeps the noise of the
 * sensor, which tells a live picture from a frozen one. One a second; with sound one for each frame, in batches, as
 * ffmpeg (5.1) reads the microphone only when no output is behind, and one of a frame a second always is.
 */
function thumbnailOutput({ framesPerSecond, audio }: EncoderSettings): readonly string[] {
  const { width, height } = thumbnailSize
  const small = `scale=${width}x${height}:flags=neighbor,format=gray`
  const output = ['-f', 'rawvideo', '-flush_packets', audio === undefined ? '1' : '0', 'pipe:3']
  return audio === undefined
    ? ['-map', '0:v', '-vf', `fps=1,${small}`, ...output]
    : ['-map', '0:v', '-r', String(framesPerSecond), '-vf', small, ...output]
}

function testPattern({ size, framesPerSecond, fontFile }: EncoderSettings): string {
  const source = `testsrc2=size=${size}:rate=${framesPerSecond}`
  if (fontFile === undefined) return source
  // Two levels of quoting, the filter graph's and the option's (ffmpeg-filters, "Notes on filtergraph escaping").
  const clock = String.raw`text='%{localtime\:%H\\\:%M\\\:%S} %{n}'`
  const style = 'fontsize=h/12:fontcolor=white:box=1:boxcolor=black:boxborderw=8:x=(w-tw)/2:y=h-2*th'
  return `${source},drawtext=fontfile='${fontFile}':${clock}:${style}`
}
