import { loadConfig } from '@relay/common/config/load-config'
import { expect, test } from 'vitest'
import { checkLimits } from './check-limits.ts'
import { agentConfigSpec } from './config.ts'

function pointersOf(text: string): readonly string[] {
  const config = loadConfig(agentConfigSpec, { file: { path: 'agent.yaml', text } })
  return checkLimits(config).map(({ pointer }) => pointer)
}

test.each([
  ['cameras: [{ name: a, device: /d, stallAfter: 499ms }]', '/cameras/0/stallAfter'],
  ['instruments: [{ name: a, device: /d, writeQueue: 63B }]', '/instruments/0/writeQueue'],
  ['instruments: [{ name: a, device: /d, maxMessage: 0B }]', '/instruments/0/maxMessage'],
  ['uplink: { queueSize: 0B }', '/uplink/queueSize'],
  ['uplink: { queueAge: 0s }', '/uplink/queueAge'],
  ['uplink: { maxBuffered: 0B }', '/uplink/maxBuffered'],
  ['uplink: { maxLag: 0s }', '/uplink/maxLag'],
  ['recordings: { maxSize: 0B }', '/recordings/maxSize'],
  ['localApi: { host: "not an address" }', '/localApi/host'],
  ['localApi: { host: "300.1.1.1" }', '/localApi/host'],
  ['metrics: { host: "*" }', '/metrics/host'],
  ['localApi: { allowedOrigins: ["https://lab.example.org/"] }', '/localApi/allowedOrigins/0'],
  ['localApi: { allowedOrigins: ["https://Lab.example.org"] }', '/localApi/allowedOrigins/0'],
  ['localApi: { allowedOrigins: ["https://lab.example.org:443"] }', '/localApi/allowedOrigins/0'],
  ['localApi: { allowedOrigins: ["lab.example.org"] }', '/localApi/allowedOrigins/0'],
  ['localApi: { allowedOrigins: ["ws://lab.example.org"] }', '/localApi/allowedOrigins/0'],
  ['localApi: { allowedHosts: ["lab.example.org:8888"] }', '/localApi/allowedHosts/0'],
  ['localApi: { allowedHosts: [good, "[::1]"] }', '/localApi/allowedHosts/1'],
])('%s would switch something off, at %s', (text, pointer) => {
  expect(pointersOf(text)).toEqual([pointer])
})

test.each([
  'cameras: [{ name: a, device: /d, stallAfter: 500ms }]',
  'instruments: [{ name: a, device: /d, writeQueue: 64B, maxMessage: 1B }]',
  'uplink: { queueSize: 1KiB, queueAge: 100ms, maxBuffered: 1KiB, maxLag: 100ms }',
  'localApi: { host: "*", allowedOrigins: ["http://lab:8080", "https://lab.example.org"], allowedHosts: [lab.example.org, LAB, "fd00::1", 10.0.0.1] }',
  'localApi: { host: "::" }\nmetrics: { host: 0.0.0.0 }',
])('%s is right', (text) => {
  expect(pointersOf(text)).toEqual([])
})
