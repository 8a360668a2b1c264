/** A picture size that a camera offers; a range where it scales. */
export interface OfferedSize {
  /** `640x480`, or `32x32 to 4096x4096`. */
  readonly text: string
  /** Frames per second, the fastest first; empty where the tool does not tell. */
  readonly framesPerSecond: readonly number[]
}

/** One pixel format of a camera, by the name under which ffmpeg takes it as `-input_format`. */
export interface CameraFormat {
  /** `mjpeg`, `yuyv422`, `h264`; the camera's own four letters where ffmpeg has no name for it. */
  readonly name: string
  readonly sizes: readonly OfferedSize[]
}

/** A camera that scales in steps, or lies, must not fill a log. */
const maxFormats = 32
const maxSizes = 64
const maxRates = 16

/** ffmpeg's names of V4L2 pixel formats that cameras have (libavdevice/v4l2-common.c). */
const ffmpegNames: Readonly<Record<string, string>> = {
  MJPG: 'mjpeg',
  JPEG: 'mjpeg',
  H264: 'h264',
  HEVC: 'hevc',
  YUYV: 'yuyv422',
  UYVY: 'uyvy422',
  YVYU: 'yvyu422',
  YU12: 'yuv420p',
  '422P': 'yuv422p',
  NV12: 'nv12',
  NV21: 'nv21',
  GREY: 'gray',
  RGB3: 'rgb24',
  BGR3: 'bgr24',
  RGBP: 'rgb565le',
}

/**
 * What `v4l2-ctl --list-formats-ext` printed. Lines that are not understood are passed over; text of any kind gives
 * some list. Pure.
 */
export function parseV4l2CtlFormats(text: string): readonly CameraFormat[] {
  const formats: { name: string; sizes: { text: string; framesPerSecond: number[] }[] }[] = []
  for (const line of text.split('\n')) {
    const fourLetters = /^\s*\[\d+\]: '([^']{1,8})'/.exec(line)?.[1]?.trim()
    if (fourLetters !== undefined && formats.length < maxFormats) {
      formats.push({ name: ffmpegNames[fourLetters] ?? fourLetters, sizes: [] })
      continue
    }
    const sizes = formats.at(-1)?.sizes
    const size = /^\s*Size: Discrete (\d{1,5}x\d{1,5})/.exec(line)?.[1] ?? sizeRange(line)
    if (size !== undefined && sizes !== undefined && sizes.length < maxSizes) {
      sizes.push({ text: size, framesPerSecond: [] })
      continue
    }
    const rate = /^\s*Interval: .*\((?:[\d.]+-)?([\d.]{1,9}) fps\)/.exec(line)?.[1]
    const rates = sizes?.at(-1)?.framesPerSecond
    if (rate !== undefined && rates !== undefined && rates.length < maxRates) rates.push(Number(rate))
  }
  return formats.map(({ name, sizes }) => ({
    name,
    sizes: sizes.map((size) => ({
      ...size,
      framesPerSecond: size.framesPerSecond.toSorted((a, b) => b - a),
    })),
  }))
}

function sizeRange(line: string): string | undefined {
  const [, from, to] =
    /^\s*Size: (?:Stepwise|Continuous) (\d{1,5}x\d{1,5}) - (\d{1,5}x\d{1,5})/.exec(line) ?? []
  return from === undefined || to === undefined ? undefined : `${from} to ${to}`
}

/** What `ffmpeg -f v4l2 -list_formats all` printed (libavdevice/v4l2.c, `list_formats`). Pure. */
export function parseFfmpegFormats(text: string): readonly CameraFormat[] {
  const formats: CameraFormat[] = []
  for (const line of text.split('\n')) {
    const [, name, description, sizes] =
      /(?:Raw|Compressed) *: *(\S{1,16}) : (.{0,64}?) :(.*)$/.exec(line) ?? []
    if (name === undefined || description === undefined || sizes === undefined) continue
    if (formats.length >= maxFormats) break
    formats.push({
      name: name === 'Unsupported' ? description.trim() : name,
      sizes: offeredSizes(sizes).slice(0, maxSizes),
    })
  }
  return formats
}

function offeredSizes(text: string): readonly OfferedSize[] {
  const discrete = [...text.matchAll(/(?<![\d{])(\d{1,5}x\d{1,5})(?!\d)/g)].map(([, size]) => size ?? '')
  const ranges = [...text.matchAll(/\{(\d{1,5})-(\d{1,5}), \d{1,5}\}x\{(\d{1,5})-(\d{1,5}), \d{1,5}\}/g)].map(
    ([, minWidth, maxWidth, minHeight, maxHeight]) => `${minWidth}x${minHeight} to ${maxWidth}x${maxHeight}`,
  )
  return [...discrete, ...ranges].map((size) => ({ text: size, framesPerSecond: [] }))
}

/** Formats in one line for a sentence: `mjpeg 1280x720 640x480 (30 fps); yuyv422 640x480`. Pure. */
export function describeFormats(formats: readonly CameraFormat[], { maxLength = 240 } = {}): string {
  const text = formats.map(describeFormat).join('; ')
  return text.length <= maxLength ? text : `${text.slice(0, maxLength - 4).trimEnd()} ...`
}

function describeFormat({ name, sizes }: CameraFormat): string {
  const shown = sizes.map(({ text, framesPerSecond: [fastest] }) =>
    fastest === undefined ? text : `${text} (${Math.round(fastest * 10) / 10} fps)`,
  )
  return [name, ...new Set(shown)].join(' ')
}
