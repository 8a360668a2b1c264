import { expect, test } from 'vitest'
import { diagnoseEncoder } from './diagnose-encoder.ts'

const device = '/dev/video0'

test.each([
  [
    '[video4linux2,v4l2 @ 0x5] Cannot open video device /dev/video0: No such file or directory',
    'CAMERA_MISSING',
  ],
  ['/dev/video0: No such file or directory', 'CAMERA_MISSING'],
  ['/dev/video0: Permission denied', 'CAMERA_FORBIDDEN'],
  ['[video4linux2,v4l2 @ 0x5] ioctl(VIDIOC_STREAMON): Device or resource busy', 'CAMERA_BUSY'],
  ['/dev/video0: Device or resource busy', 'CAMERA_BUSY'],
  ['[video4linux2,v4l2 @ 0x5] ioctl(VIDIOC_DQBUF): No such device', 'CAMERA_LOST'],
  ['[video4linux2,v4l2 @ 0x5] Not a video capture device.', 'CAMERA_WRONG_FORMAT'],
  ['/dev/video0: Inappropriate ioctl for device', 'CAMERA_WRONG_FORMAT'],
  ["[video4linux2,v4l2 @ 0x5] Cannot find a proper format for codec 'h264'", 'CAMERA_WRONG_FORMAT'],
  ['[video4linux2,v4l2 @ 0x5] No such input format: mjpg.', 'CAMERA_WRONG_FORMAT'],
  ['[alsa @ 0x5] cannot open audio device hw:9 (No such file or directory)', 'AUDIO_FAILED'],
  ['[alsa @ 0x5] cannot set channel count to 1 (Invalid argument)', 'AUDIO_FAILED'],
  ["Unknown encoder 'h264_v4l2m2m'", 'ENCODER_OPTIONS_WRONG'],
  ["Unrecognized option 'bogus'.", 'ENCODER_OPTIONS_WRONG'],
  ['MPEG-1/2 does not support 15/1 fps', 'ENCODER_OPTIONS_WRONG'],
  ['[h264_v4l2m2m @ 0x5] Could not find a valid device', 'ENCODER_OPTIONS_WRONG'],
  ['something nobody foresaw', 'ENCODER_ENDED'],
])('"%s" is %s', (line, code) => {
  const error = diagnoseEncoder({ exitCode: 1, signal: null, stderrLines: ['a warning', line], device })

  expect(error.code).toBe(code)
  expect(error.message).toContain(line)
  expect(error.permanent).toBe(false)
})

test('an encoder that was killed is told with the signal', () => {
  const error = diagnoseEncoder({ exitCode: null, signal: 'SIGKILL', stderrLines: [], device })

  expect(error.message).toBe('ffmpeg ended by SIGKILL')
})
