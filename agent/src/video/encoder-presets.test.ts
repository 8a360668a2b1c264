import { expect, test } from 'vitest'
import {
  audioProbeArguments,
  type EncoderPreset,
  encoderArguments,
  encoderPresets,
} from './encoder-presets.ts'

const settings = {
  device: '/dev/v4l/by-id/cam',
  size: '640x480',
  framesPerSecond: 24,
  bitsPerSecond: 1_000_000,
  arguments: ['-i', 'x'],
  inputFormat: '',
  audio: undefined,
  thumbnails: false,
  fontFile: undefined,
} as const
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

test('the camera is asked for a pixel format where one is named, by h264-copy always for H.264', () => {
  const asked = (preset: EncoderPreset, inputFormat: string): string =>
    encoderArguments({ ...settings, preset, inputFormat }).join(' ')

  expect(asked('mpeg1-compat', 'mjpeg')).toContain('-f v4l2 -input_format mjpeg -framerate 24')
  expect(asked('x264-ultrafast', '')).not.toContain('-input_format')
  expect(asked('h264-copy', 'mjpeg')).toContain('-input_format h264')
})

test('thumbnails are a second output, which leaves the first as it was', () => {
  const args = encoderArguments({ ...settings, preset: 'mpeg1-compat', thumbnails: true }).join(' ')
  const without = encoderArguments({ ...settings, preset: 'mpeg1-compat' }).join(' ')

  expect(args).toBe(
    `${without} -map 0:v -vf fps=1,scale=32x24:flags=neighbor,format=gray -f rawvideo -flush_packets 1 pipe:3`,
  )
})

test('with sound the video gets MP2 beside it, and thumbnails keep pace with the frames', () => {
  const audio = { device: 'plughw:1', bitsPerSecond: 64_000 }
  const args = encoderArguments({ ...settings, preset: 'mpeg1-compat', audio, thumbnails: true }).join(' ')

  expect(args).toBe(
    [
      head,
      `-fflags nobuffer -thread_queue_size 64 -f v4l2 ${v4l2}`,
      '-thread_queue_size 64 -f alsa -i plughw:1 -map 0:v -map 1:a',
      '-r 24 -c:v mpeg1video -b:v 1000k -bf 0 -s 640x480',
      '-c:a mp2 -b:a 64k -ac 1 -ar 48000 -af aresample=async=1',
      '-max_interleave_delta 100000 -muxdelay 0 -muxpreload 0 -pes_payload_size 0',
      tail,
      '-map 0:v -r 24 -vf scale=32x24:flags=neighbor,format=gray -f rawvideo -flush_packets 0 pipe:3',
    ].join(' '),
  )
})

test('whether sound can be had is found out without the camera', () => {
  expect(audioProbeArguments('plughw:1').join(' ')).toBe(
    `${head} -thread_queue_size 64 -f alsa -i plughw:1 -t 0.2 -f null -`,
  )
})
