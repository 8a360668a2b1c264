import { expect, test } from 'vitest'
import { type EncoderFacts, judgeEncoders, parseEncoders } from './encoders.ts'

const listed = `Encoders:
 V..... = Video
 A..... = Audio
 ------
 V....D libx264              libx264 H.264 / AVC / MPEG-4 AVC / MPEG-4 part 10 (codec h264)
 V..... h264_v4l2m2m         V4L2 mem2mem H.264 encoder wrapper (codec h264)
 V.S... mpeg1video           MPEG-1 video
 A....D aac                  AAC (Advanced Audio Coding)
`
const right: EncoderFacts = {
  ffmpeg: 'ffmpeg',
  version: '7.1.1',
  encoders: parseEncoders(listed),
  cameras: [{ name: 'front', preset: 'mpeg1-compat' }],
  hasHardwareEncoder: false,
  hasSetpriv: true,
}
const judge = (facts: Partial<EncoderFacts>): readonly string[] =>
  judgeEncoders({ ...right, ...facts }).map(({ level, what }) => `${level}: ${what}`)

test('video encoders are read from what ffmpeg lists', () => {
  expect([...parseEncoders(listed)]).toEqual(['libx264', 'h264_v4l2m2m', 'mpeg1video'])
})

test('an ffmpeg with the encoder of the preset is all right', () => {
  expect(judge({})).toEqual(['ok: ffmpeg 7.1.1 runs', 'ok: front: the encoder mpeg1video is there'])
})

test('a missing ffmpeg is a problem where there is a camera, else a warning', () => {
  expect(judge({ version: undefined })).toEqual([expect.stringMatching(/^problem: .*no camera can work/)])
  expect(judge({ version: undefined, cameras: [] })).toEqual([expect.stringMatching(/^warning/)])
})

test('an encoder that this ffmpeg, or this board, does not have is a problem', () => {
  expect(judge({ encoders: new Set() })).toContainEqual(expect.stringMatching(/^problem: .* mpeg1video/))
  const cameras = [{ name: 'front', preset: 'h264-v4l2m2m' }] as const
  expect(judge({ cameras })).toContainEqual(expect.stringMatching(/^problem: .* this board shows none/))
  expect(judge({ cameras, hasHardwareEncoder: true })).toContainEqual(expect.stringMatching(/^ok: front/))
})
