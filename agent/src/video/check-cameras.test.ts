import { loadConfig } from '@relay/common/config/load-config'
import { expect, test } from 'vitest'
import { agentConfigSpec } from '../config.ts'
import { checkCameras } from './check-cameras.ts'

function findings(...cameras: readonly string[]): readonly string[] {
  const text = `cameras: [${cameras.map((camera, index) => `{ name: c${index}, feed: f${index}, ${camera} }`).join(', ')}]`
  const config = loadConfig(agentConfigSpec, { file: { path: 'agent.yaml', text } })
  return checkCameras(config).map(({ pointer, what }) => `${pointer}: ${what}`)
}

test.each([
  ['preset: test-pattern, inputFormat: mjpeg', '/cameras/0/inputFormat'],
  ['device: /dev/x, preset: h264-copy, inputFormat: mjpeg', '/cameras/0/inputFormat'],
  ['device: /dev/x, picture: { faultAfter: 1s }', '/cameras/0/picture/faultAfter'],
  ['device: /dev/x, preset: h264-copy, picture: { whenFrozen: recover }', '/cameras/0/picture/whenFrozen'],
  ['device: /dev/x, picture: { whenFrozen: recover, watch: false }', '/cameras/0/picture/whenFrozen'],
  ['preset: custom, arguments: [x], audio: { device: hw:1 }', '/cameras/0/audio/device'],
  ['preset: test-pattern, recovery: { upTo: usb-reset }', '/cameras/0/recovery/upTo'],
  ['device: /dev/x, recovery: { sharedHub: true }', '/cameras/0/recovery/sharedHub'],
])('%s is refused', (camera, pointer) => {
  expect(findings(camera)).toHaveLength(1)
  expect(findings(camera)[0]).toContain(`${pointer}: `)
})

test('two cameras cannot hear with one microphone, but both may have the test tone', () => {
  expect(
    findings('device: /dev/a, audio: { device: hw:1 }', 'device: /dev/b, audio: { device: hw:1 }'),
  ).toEqual(['/cameras/1/audio/device: "hw:1" is the microphone of cameras[0] already'])
  expect(
    findings(
      'preset: test-pattern, audio: { device: test-tone }',
      'preset: test-pattern, audio: { device: test-tone }',
    ),
  ).toEqual([])
})

test('two whole cameras with sound, watch and recovery are right', () => {
  const settings =
    'inputFormat: mjpeg, picture: { whenFrozen: recover }, recovery: { upTo: port-power, sharedHub: true }'

  expect(
    findings(
      `device: /dev/a, audio: { device: hw:1 }, ${settings}`,
      `device: /dev/b, audio: { device: hw:2 }, ${settings}`,
    ),
  ).toEqual([])
})
