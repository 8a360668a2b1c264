import { loadConfig } from '@relay/common/config/load-config'
import { describe, expect, test } from 'vitest'
import { checkConfig } from './check-config.ts'
import { type AgentConfig, agentConfigSpec } from './config.ts'

function load(yaml: string): AgentConfig {
  return loadConfig(agentConfigSpec, { file: { path: 'agent.yaml', text: yaml } })
}

const relay = 'relay: { access: "https://a.example/access" }'

describe('what the schema cannot say', () => {
  test.each([
    ['cameras: [{ name: a, device: /d }, { name: a, device: /e, feed: v2 }]', '/cameras/1/name'],
    ['cameras: [{ name: a, device: /d }, { name: b, device: /e }]', '/cameras/1/feed'],
    ['cameras: [{ name: a }]', '/cameras/0/device'],
    ['cameras: [{ name: a, preset: custom }]', '/cameras/0/arguments'],
    ['cameras: [{ name: a, device: /d, arguments: [-i, x] }]', '/cameras/0/arguments'],
    ['cameras: [{ name: a, device: /d, framesPerSecond: 15 }]', '/cameras/0/framesPerSecond'],
    ['cameras: [{ name: a, device: /d, feed: stream/x }]', '/cameras/0/feed'],
    ['cameras: [{ name: a, device: /d }, { name: b, device: /d, feed: w }]', '/cameras/1/device'],
    ['instruments: [{ name: a, device: /d }, { name: b, device: /d, feed: e }]', '/instruments/1/device'],
    ['instruments: [{ name: a, device: /d }, { name: b, device: /e }]', '/instruments/1/feed'],
    ['instruments: [{ name: a, device: /d, feed: stream/x }]', '/instruments/0/feed'],
    [
      'cameras: [{ name: a, device: /d, feed: x }]\ninstruments: [{ name: a, device: /e, feed: x }]',
      '/instruments/0/feed',
    ],
    ['topics: [{ topic: t, feed: f, tokenFile: x }]', '/relay/access'],
    [`${relay}\ntopics: [{ topic: t, feed: stream/x, tokenFile: x }]`, '/topics/0/feed'],
    [`${relay}\ntopics: [{ topic: t, feed: f, tokenFile: x, access: "ftp://x" }]`, '/topics/0/access'],
    ['relay: { access: "wss://a.example" }', '/relay/access'],
    ['streams: [{ stream: stream/a, feeds: [] }, { stream: stream/a, feeds: [] }]', '/streams/1/stream'],
  ])('%s is wrong at %s', (yaml, pointer) => {
    expect(checkConfig(load(yaml)).map((finding) => finding.pointer)).toEqual([pointer])
  })

  test('several problems are all found at once', () => {
    const config = load('cameras: [{ name: a }, { name: a, framesPerSecond: 15 }]')

    expect(
      checkConfig(config)
        .map(({ pointer }) => pointer)
        .toSorted(),
    ).toEqual([
      '/cameras/0/device',
      '/cameras/1/device',
      '/cameras/1/feed',
      '/cameras/1/framesPerSecond',
      '/cameras/1/name',
    ])
  })
})

test('a test pattern needs no device, and H.264 may have any frame rate', () => {
  const config = load(
    'cameras: [{ name: a, preset: test-pattern }, { name: b, feed: w, preset: x264-ultrafast, device: /d, framesPerSecond: 15 }]',
  )

  expect(checkConfig(config)).toEqual([])
})

test('cameras with arguments of their own may name one device twice', () => {
  const custom = '{ name: NAME, feed: NAME, preset: custom, device: /d, arguments: [-i, x] }'
  const config = load(`cameras: [${custom.replaceAll('NAME', 'a')}, ${custom.replaceAll('NAME', 'b')}]`)

  expect(checkConfig(config)).toEqual([])
})

test.each([
  ['cameras: [{ name: "a b", device: /d }]', /cameras\[0\]\.name/],
  ['cameras: [{ name: a, device: /d, size: big }]', /cameras\[0\]\.size/],
  ['instruments: [{ name: a }]', /instruments\[0\]\.device/],
  ['instruments: [{ name: a, device: /d, baudRate: fast }]', /instruments\[0\]\.baudRate/],
  ['instruments: [{ name: a, device: /d, framing: packets }]', /instruments\[0\]\.framing/],
  ['instruments: [{ name: a, device: /d, lengthBytes: 3 }]', /instruments\[0\]\.lengthBytes/],
  ['instruments: [{ name: a, device: /d, baud: 9600 }]', /instruments\[0\]\.baud/],
  ['topics: [{ topic: t, feed: "a b", tokenFile: x }]', /topics\[0\]\.feed/],
  ['streams: [{ stream: all, feeds: [] }]', /streams\[0\]\.stream/],
  ['localApi: { port: 70000 }', /localApi\.port/],
])('%s is refused with the place', (yaml, expected) => {
  expect(() => load(yaml)).toThrow(expected)
})
