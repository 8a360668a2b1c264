import { loadConfig } from '@relay/common/config/load-config'
import { expect, test } from 'vitest'
import { agentConfigSpec } from '../config.ts'
import { deliveryOf } from './delivery-of.ts'

const config = loadConfig(agentConfigSpec, {
  file: {
    path: 'agent.yaml',
    text: `
cameras: [{ name: c, feed: video, preset: test-pattern }, { name: d, feed: both, preset: test-pattern }]
instruments: [{ name: i, feed: data, framing: raw, device: /d }, { name: j, feed: both, device: /e }]
mqttInstruments: [{ name: m, feed: broker, broker: mqtt://b }]
streams: [{ stream: stream/data, feeds: [data] }]
`,
  },
})

test.each([
  ['data', 'auto', 'queued', 'an instrument alone speaks there'],
  ['broker', 'auto', 'queued', 'an instrument behind a broker speaks there'],
  ['video', 'auto', 'auto', 'a camera speaks there'],
  ['both', 'auto', 'auto', 'a camera speaks there too, and its pictures must not wait'],
  ['scripts', 'auto', 'auto', 'nobody of the configuration speaks there'],
  ['stream/data', 'auto', 'auto', 'a stream may gather other feeds at any time'],
  ['data', 'live', 'live', 'the configuration says so'],
  ['video', 'queued', 'queued', 'the configuration says so'],
] as const)('messages of %s with delivery %s are %s: %s', (feed, delivery, expected, _why) => {
  expect(deliveryOf({ feed, delivery }, config)).toBe(expected)
})
