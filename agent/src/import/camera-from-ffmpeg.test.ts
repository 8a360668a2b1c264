import { expect, test } from 'vitest'
import { cameraFromFfmpeg } from './camera-from-ffmpeg.ts'

const camera = (input: string, output: string) =>
  cameraFromFfmpeg(
    { kind: 'camera', place: '', feed: 'video', input: input.split(' '), output: output.split(' ') },
    'front',
  )
const source = '-f v4l2 -framerate 24 -video_size 640x480 -i /dev/video0'

test('the picture of the fleet becomes the preset', () => {
  expect(camera(source, '-codec:v mpeg1video -s 800x600 -b:v 1M -bf 0')).toEqual({
    name: 'front',
    feed: 'video',
    preset: 'mpeg1-compat',
    device: '/dev/video0',
    size: '800x600',
    framesPerSecond: 24,
    kilobitsPerSecond: 1000,
    arguments: [],
  })
})

test.each([
  [source, '-codec:v mpeg1video -b:v 1000k -bf 2'],
  [source, '-codec:v mpeg1video -b:v 1000k -vf hflip'],
  [source, '-codec:v libx264 -b:v 1000k'],
  [source, '-codec:v mpeg1video'],
  ['-f v4l2 -framerate 17 -i /dev/video0', '-codec:v mpeg1video -b:v 1000k'],
  ['-f v4l2 -input_format mjpeg -i /dev/video0', '-codec:v mpeg1video -b:v 1000k'],
  ['-f alsa -i hw:1 -f v4l2 -i /dev/video0', '-codec:v mpeg1video -b:v 1000k'],
  ['-i rtsp://192.0.2.1/', '-codec:v mpeg1video -b:v 1000k'],
])('what is different keeps its own arguments: %s %s', (input, output) => {
  expect(camera(input, output)).toMatchObject({
    preset: 'custom',
    device: '',
    arguments: [...input.split(' '), ...output.split(' ')],
  })
})
