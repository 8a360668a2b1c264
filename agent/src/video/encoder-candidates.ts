import { type EncoderPreset, videoCodec } from './encoder-presets.ts'

/** A way to encode that a board may have. */
export interface EncoderCandidate {
  /** Name of a preset, or of an encoder of ffmpeg that the preset `custom` can name. */
  readonly name: string
  readonly preset: EncoderPreset
  /** It needs one of these; where none is there it is not tried. Empty: it needs none. */
  readonly hardware: readonly string[]
  /** What such hardware is, for people. */
  readonly needs: string
  /** Arguments before the input. */
  readonly before: readonly string[]
  /** Arguments behind the input. */
  readonly codec: readonly string[]
  /** It takes the picture as the camera has encoded it. */
  readonly copies: boolean
}

export interface PictureSize {
  /** `640x480`. */
  readonly size: string
  readonly framesPerSecond: number
  readonly bitsPerSecond: number
}

/** Encoders of V4L2 drivers (Raspberry Pi up to 4, Odroid) are known by what the driver calls itself. */
export const v4l2Encoder = '/sys/class/video4linux/*/name: encode'

/** Every way to encode, in the order in which one would choose. Pure. */
export function encoderCandidates(picture: PictureSize): readonly EncoderCandidate[] {
  const preset = (name: EncoderPreset, hardware: readonly string[] = [], needs = ''): EncoderCandidate => ({
    name,
    preset: name,
    hardware,
    needs,
    before: [],
    codec: videoCodec({ ...picture, preset: name }),
    copies: name === 'h264-copy',
  })
  const kilobits = `${Math.round(picture.bitsPerSecond / 1000)}k`
  const rate = String(picture.framesPerSecond)
  const common = ['-r', rate, '-b:v', kilobits, '-g', String(Math.round(picture.framesPerSecond)), '-bf', '0']
  const custom = (
    name: string,
    hardware: readonly string[],
    needs: string,
    {
      before = [],
      more = [],
    }: { readonly before?: readonly string[]; readonly more?: readonly string[] } = {},
  ): EncoderCandidate => ({
    name,
    preset: 'custom',
    hardware,
    needs,
    before,
    codec: [...more, ...common, '-c:v', name],
    copies: false,
  })
  const render = '/dev/dri/renderD128'
  return [
    preset('mpeg1-compat'),
    preset('h264-copy'),
    preset('h264-v4l2m2m', [v4l2Encoder], 'an encoder with a V4L2 driver'),
    custom('h264_rkmpp', ['/dev/mpp_service'], 'the encoder of a Rockchip'),
    custom('h264_nvmpi', ['/dev/nvhost-msenc', '/dev/v4l2-nvenc'], 'the encoder of a Jetson'),
    custom('h264_nvenc', ['/dev/nvidia0'], 'the encoder of an NVIDIA card'),
    custom('h264_vaapi', [render], 'an encoder with a VA-API driver', {
      before: ['-vaapi_device', render],
      more: ['-vf', 'format=nv12,hwupload'],
    }),
    preset('x264-ultrafast'),
  ]
}
