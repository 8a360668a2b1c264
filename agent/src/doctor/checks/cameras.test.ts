import { expect, test } from 'vitest'
import { type CameraFacts, judgeCameras } from './cameras.ts'

const device = '/dev/v4l/by-id/usb-046d_C615-video-index0'
const right: CameraFacts = {
  camera: { name: 'front', preset: 'mpeg1-compat', device, size: '640x480', framesPerSecond: 24 },
  user: { name: 'relay-agent', uid: 990, gids: new Set([44]), isStandIn: false },
  file: { kind: 'character', mode: 0o660, uid: 0, gid: 44, sizeBytes: 0 },
  holders: [],
  formats: {
    ok: true,
    formats: [
      { name: 'mjpeg', sizes: [{ text: '1280x720', framesPerSecond: [30] }] },
      {
        name: 'yuyv422',
        sizes: [
          { text: '640x480', framesPerSecond: [30, 15] },
          { text: '800x600', framesPerSecond: [10] },
        ],
      },
    ],
  },
}
const judge = (facts: Partial<CameraFacts>, connected: readonly string[] = [device]): readonly string[] =>
  judgeCameras({ cameras: [{ ...right, ...facts }], connected, nodes: ['/dev/video0', '/dev/video1'] }).map(
    ({ level, what }) => `${level}: ${what}`,
  )
const withCamera = (camera: Partial<CameraFacts['camera']>): readonly string[] =>
  judge({ camera: { ...right.camera, ...camera } })

test('a camera that is there and gives what is asked for is all right', () => {
  expect(judge({})).toEqual([`ok: front: ${device} is there and offers 640x480`])
})

test('a camera that is missing is a problem that names what is connected', () => {
  expect(judge({ file: undefined }, ['/dev/v4l/by-id/usb-other'])).toEqual([
    `problem: the camera front, ${device}, is not there; connected: /dev/v4l/by-id/usb-other`,
  ])
  expect(judge({ file: undefined }, [])).toEqual([
    `problem: the camera front, ${device}, is not there; no USB camera is connected`,
  ])
})

test.each<[Partial<CameraFacts>, RegExp]>([
  [{ user: { ...right.user, gids: new Set([990]) } }, /^problem: front: the user relay-agent may not use/],
  [{ holders: [{ pid: 12, name: 'ffmpeg', isOurs: false }] }, /^problem: front: .* is used by ffmpeg \(12\)/],
  [{ formats: { ok: false, reason: 'v4l2-ctl said: nothing' } }, /^unknown: front: what .* cannot be asked/],
])('%j is told', (facts, what) => {
  expect(judge(facts)).toContainEqual(expect.stringMatching(what))
})

test('the ffmpeg of the agent itself is no stranger', () => {
  expect(judge({ holders: [{ pid: 12, name: 'ffmpeg', isOurs: true }] })).toEqual(judge({}))
})

test.each<[Partial<CameraFacts['camera']>, RegExp]>([
  [{ device: '/dev/video0' }, /^warning: front: \/dev\/video0 is a name that changes/],
  [{ size: '320x200' }, /^warning: front: 320x200 is not among .*mjpeg 1280x720/],
  [{ size: '800x600' }, /^warning: front: .* at most 10 frames\/s, and 24/],
  [{ preset: 'h264-copy' }, /^problem: front: the preset h264-copy needs/],
])('a camera that is configured as %j is told', (camera, what) => {
  expect(withCamera(camera)).toContainEqual(expect.stringMatching(what))
})

test('a camera that scales takes every size of its range', () => {
  const formats: CameraFacts['formats'] = {
    ok: true,
    formats: [{ name: 'yuyv422', sizes: [{ text: '32x32 to 1920x1080', framesPerSecond: [] }] }],
  }
  expect(judge({ formats })).toEqual([`ok: front: ${device} is there and offers 640x480`])
})
