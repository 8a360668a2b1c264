import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { describeFormats, parseFfmpegFormats, parseV4l2CtlFormats } from './camera-formats.ts'

/** A Logitech C270, shortened. */
const webcamByV4l2Ctl = `ioctl: VIDIOC_ENUM_FMT
	Type: Video Capture

	[0]: 'YUYV' (YUYV 4:2:2)
		Size: Discrete 640x480
			Interval: Discrete 0.067s (15.000 fps)
			Interval: Discrete 0.033s (30.000 fps)
		Size: Discrete 1280x720
			Interval: Discrete 0.133s (7.500 fps)
	[1]: 'MJPG' (Motion-JPEG, compressed)
		Size: Discrete 1280x720
			Interval: Discrete 0.033s (30.000 fps)
`

/** The camera of a Raspberry Pi by its old driver. */
const scalingByV4l2Ctl = `ioctl: VIDIOC_ENUM_FMT
	Type: Video Capture

	[0]: 'YU12' (Planar YUV 4:2:0)
		Size: Stepwise 32x32 - 2592x1944 with step 2/2
	[1]: 'H264' (H.264, compressed)
		Size: Stepwise 32x32 - 2592x1944 with step 2/2
	[2]: 'pBAA' (10-bit Bayer BGBG/GRGR Packed)
		Size: Discrete 640x480
`

const webcamByFfmpeg = `[video4linux2,v4l2 @ 0x55d0c8a3c700] Raw       :     yuyv422 :           YUYV 4:2:2 : 640x480 160x120 1280x720
[video4linux2,v4l2 @ 0x55d0c8a3c700] Compressed:       mjpeg :          Motion-JPEG : 640x480 1280x720
[video4linux2,v4l2 @ 0x55d0c8a3c700] Compressed: Unsupported :             VendorX : 320x240
/dev/video0: Immediate exit requested
`

const scalingByFfmpeg = `[video4linux2,v4l2 @ 0x1d7e3e0] Raw       :     yuv420p :     Planar YUV 4:2:0 : {32-2592, 2}x{32-1944, 2}
[video4linux2,v4l2 @ 0x1d7e3e0] Compressed:        h264 :                H.264 : {32-2592, 2}x{32-1944, 2}
`

test('the list of v4l2-ctl gives each format by the name that ffmpeg takes, with sizes and the fastest rate', () => {
  expect(parseV4l2CtlFormats(webcamByV4l2Ctl)).toEqual([
    {
      name: 'yuyv422',
      sizes: [
        { text: '640x480', framesPerSecond: [30, 15] },
        { text: '1280x720', framesPerSecond: [7.5] },
      ],
    },
    { name: 'mjpeg', sizes: [{ text: '1280x720', framesPerSecond: [30] }] },
  ])
})

test('a camera that scales is told by its range, and a format without a name of ffmpeg by its own', () => {
  expect(describeFormats(parseV4l2CtlFormats(scalingByV4l2Ctl))).toBe(
    'yuv420p 32x32 to 2592x1944; h264 32x32 to 2592x1944; pBAA 640x480',
  )
  expect(describeFormats(parseFfmpegFormats(scalingByFfmpeg))).toBe(
    'yuv420p 32x32 to 2592x1944; h264 32x32 to 2592x1944',
  )
})

test('the list of ffmpeg gives formats and sizes', () => {
  expect(describeFormats(parseFfmpegFormats(webcamByFfmpeg))).toBe(
    'yuyv422 640x480 160x120 1280x720; mjpeg 640x480 1280x720; VendorX 320x240',
  )
})

test('a sentence stays short, however many formats there are', () => {
  const many = Array.from({ length: 30 }, (_, index) => ({
    name: `format${index}`,
    sizes: [{ text: '640x480', framesPerSecond: [30] }],
  }))

  expect(describeFormats(many, { maxLength: 60 })).toBe(
    'format0 640x480 (30 fps); format1 640x480 (30 fps); form ...',
  )
})

describe('text of any kind', () => {
  const anyLine = fc.oneof(
    fc.string(),
    fc.constantFrom(...`${webcamByV4l2Ctl}${webcamByFfmpeg}${scalingByFfmpeg}`.split('\n')),
    fc.string().map((text) => `[0]: '${text}' Size: Discrete ${text}`),
  )

  test('is read within bounds', () => {
    fc.assert(
      fc.property(fc.array(anyLine, { maxLength: 300 }), (lines) => {
        const text = lines.join('\n')
        for (const formats of [parseV4l2CtlFormats(text), parseFfmpegFormats(text)]) {
          expect(formats.length).toBeLessThanOrEqual(32)
          expect(formats.every(({ sizes }) => sizes.length <= 64)).toBe(true)
          expect(describeFormats(formats).length).toBeLessThanOrEqual(240)
        }
      }),
    )
  })
})
