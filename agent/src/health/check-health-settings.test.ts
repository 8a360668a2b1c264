import { loadConfig } from '@relay/common/config/load-config'
import { describe, expect, test } from 'vitest'
import { checkConfig } from '../check-config.ts'
import { agentConfigSpec } from '../config.ts'

function findings(text: string): readonly string[] {
  const config = loadConfig(agentConfigSpec, { file: { path: 'agent.yaml', text } })
  return checkConfig(config).map(({ pointer, what }) => `${pointer} ${what}`)
}

const topics = `
relay: { access: "https://relay.example/access" }
topics:
  - { topic: a-health, feed: health, tokenFile: t }
  - { topic: a-video, feed: video, tokenFile: t }
  - { topic: a-all, feed: stream/all, tokenFile: t }
streams: [{ stream: stream/all, feeds: [video] }]
cameras: [{ name: front, preset: test-pattern }]
`

describe('what is right', () => {
  test.each([
    '',
    'status: { socket: "" }',
    'status: { socket: /tmp/s }',
    'statusPage: { port: 8890 }',
    'statusPage: { port: 8890, host: 192.168.1.5 }',
    'statusPage: { port: 8890, host: "fe80::1" }',
    'statusPage: { port: 8890, host: pend00.local, allowedHosts: [pend00.lab] }',
    'statusPage: { port: 8890, host: 8.8.8.8, allowPublic: true }',
    'statusPage: { port: 0, host: 8.8.8.8 }',
    `${topics}heartbeat: { topic: a-health }`,
  ])('%j', (text) => {
    expect(findings(text)).toEqual([])
  })
})

test.each([
  ['status: { socket: s.sock }', /^\/status\/socket it must be a whole path/],
  [`status: { socket: /${'x'.repeat(100)} }`, /^\/status\/socket it is 101 bytes long/],
  ['statusPage: { port: 8890, host: 8.8.8.8 }', /^\/statusPage\/host it is a public address/],
  ['statusPage: { port: 8890, host: "2001:db8::1" }', /^\/statusPage\/host it is a public address/],
  ['statusPage: { port: 8888 }', /^\/statusPage\/port 8888 is localApi\.port already/],
  [
    'statusPage: { port: 9000 }\nmetrics: { port: 9000 }',
    /^\/statusPage\/port 9000 is metrics\.port already/,
  ],
  ['statusPage: { port: 8890, host: "http://x/" }', /^\/statusPage\/host "http:\/\/x\/" is neither/],
  ['statusPage: { allowedHosts: ["a:80"] }', /^\/statusPage\/allowedHosts\/0 write the name alone/],
  ['heartbeat: { topic: nowhere }', /^\/heartbeat\/topic there is no topic "nowhere" in topics/],
  [`${topics}heartbeat: { topic: a-video }`, /^\/heartbeat\/topic the feed "video" .* belongs to a camera/],
  [`${topics}heartbeat: { topic: a-all }`, /^\/heartbeat\/topic its topic carries a stream/],
  ['heartbeat: { every: 10ms }', /^\/heartbeat\/every 1s is the least/],
])('%j is refused', (text, finding) => {
  const [first, ...more] = findings(text)
  expect(first).toMatch(finding)
  expect(more).toEqual([])
})
