import { expect, test } from 'vitest'
import { type EncoderPreset, encoderArguments, encoderPresets } from './encoder-presets.ts'

const settings = {
  device: '/dev/v4l/by-id/cam',
  size: '640x480',
  framesPerSecond: 24,
  bitsPerSecond: 1_000_000,
  arguments: ['-i', 'x'],
  fontFile: undefined,
}
const head = '-hide_banner -nostdin -nostats -loglevel warning'
const tail = '-f mpegts -flush_packets 1 -omit_video_pes_length 0 pipe:1'
const v4l2 = '-framerate 24 -video_size 640x480 -i /dev/v4l/by-id/cam'

test.each<[EncoderPreset, string]>([
  ['mpeg1-compat', `-fflags nobuffer -f v4l2 ${v4l2} -an -r 24 -c:v mpeg1video -b:v 1000k -bf 0 -s 640x480`],
  [
    'h264-copy',
    `-fflags nobuffer -f v4l2 -input_format h264 ${v4l2} -an -c:v copy -bsf:v dump_extra=freq=keyframe`,
  ],
  [
    'h264-v4l2m2m',
    `-fflags nobuffer -f v4l2 ${v4l2} -an -r 24 -pix_fmt yuv420p -b:v 1000k -g 24 -bf 0 -c:v h264_v4l2m2m -bsf:v dump_extra=freq=keyframe`,
  ],
  [
    'x264-ultrafast',
    `-fflags nobuffer -f v4l2 ${v4l2} -an -r 24 -pix_fmt yuv420p -b:v 1000k -g 24 -bf 0 -c:v libx264 -preset ultrafast -tune zerolatency -maxrate 1000k -bufsize 1000k`,
  ],
  [
    'test-pattern',
    '-re -f lavfi -i testsrc2=size=640x480:rate=24 -an -r 24 -c:v mpeg1video -b:v 1000k -bf 0',
  ],
  ['custom', '-i x'],
])('the preset %s has exactly these arguments', (preset, expected) => {
  const args = encoderArguments({ ...settings, preset })

  expect(args.join(' ')).toBe(`${head} ${expected} ${tail}`)
})

test('a device whose name looks like options stays one argument', () => {
  const device = '-y; rm -rf /'

  expect(encoderArguments({ ...settings, device, preset: 'mpeg1-compat' })).toContain(device)
})

test('with a font the test pattern has a running clock', () => {
  const args = encoderArguments({ ...settings, preset: 'test-pattern', fontFile: '/f.ttf' })

  expect(args.join(' ')).toContain("drawtext=fontfile='/f.ttf':text='%{localtime")
})

test('every preset writes MPEG-TS to stdout', () => {
  for (const preset of encoderPresets) {
    expect(encoderArguments({ ...settings, preset }).slice(-7)).toEqual(tail.split(' '))
  }
})
