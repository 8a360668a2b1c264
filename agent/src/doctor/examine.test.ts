import { loadConfig } from '@relay/common/config/load-config'
import { expect, test } from 'vitest'
import { agentConfigSpec } from '../config.ts'
import { tokenUses } from './examine.ts'

test('what a token must allow follows from what uses its topic', () => {
  const text = `
relay: { access: 'https://a' }
heartbeat: { topic: health }
topics:
  - { topic: video, feed: video, tokenFile: /t }
  - { topic: data, feed: data, tokenFile: /t, access: 'https://b' }
  - { topic: all, feed: stream/all, tokenFile: /t }
  - { topic: health, feed: health, tokenFile: /t }
  - { topic: scripts, feed: scripts, tokenFile: /t }
cameras: [{ name: front, preset: test-pattern }]
instruments: [{ name: board, device: /dev/ttyUSB0 }]
`
  const uses = tokenUses(loadConfig(agentConfigSpec, { file: { path: 'agent.yaml', text } }))

  expect(uses.map(({ topic, access, needs }) => [topic, access, needs])).toEqual([
    ['video', 'https://a', ['write']],
    ['data', 'https://b', ['read', 'write']],
    ['all', 'https://a', ['write']],
    ['health', 'https://a', ['write']],
    ['scripts', 'https://a', []],
  ])
})
