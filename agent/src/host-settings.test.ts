import { loadConfig } from '@relay/common/config/load-config'
import { expect, test } from 'vitest'
import { hostLogLevel, hostSpec } from './host-settings.ts'

test.each([
  ['PANIC', 'fatal'],
  ['fatal', 'fatal'],
  ['Error', 'error'],
  ['warning', 'warn'],
  ['warn', 'info'],
  ['info', 'info'],
  ['nonsense', 'info'],
  ['debug', 'debug'],
  ['TRACE', 'trace'],
])('the old level %s is our %s', (old, ours) => {
  expect(hostLogLevel(old)).toBe(ours)
})

test('the old variables are accepted, and the API stays on loopback unless told otherwise', () => {
  const settings = loadConfig(hostSpec, {
    environment: { VW_PORT: '9999', VW_LOG_LEVEL: 'ERROR', VW_API: 'ws://x/admin', VW_MUXBUFFERLENGTH: '10' },
  })

  expect(settings).toMatchObject({
    localApi: { port: 9999, host: 'localhost' },
    log: { level: 'ERROR' },
    api: 'ws://x/admin',
  })
})

test('a port that is no number is refused by name', () => {
  expect(() => loadConfig(hostSpec, { environment: { VW_PORT: 'eighty' } })).toThrow(/VW_PORT/)
})
