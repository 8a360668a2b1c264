import { expect, test } from 'vitest'
import { oldEnvironment } from './old-environment.ts'

test.each([
  ['warning', 'warn'],
  ['PANIC', 'fatal'],
  ['Info', 'info'],
  ['nonsense', 'nonsense'],
])('the level %s of the old programs is our %s', (old, ours) => {
  expect(oldEnvironment({ RELAY_LOG_LEVEL: old }).environment['RELAY_LOG_LEVEL']).toBe(ours)
})

test('development means the debug level, unless a level is given', () => {
  expect(oldEnvironment({ RELAY_DEVELOPMENT: 'true' }).environment['RELAY_LOG_LEVEL']).toBe('debug')
  expect(
    oldEnvironment({ RELAY_DEVELOPMENT: 't', RELAY_LOG_LEVEL: 'error' }).environment['RELAY_LOG_LEVEL'],
  ).toBe('error')
  expect(oldEnvironment({ RELAY_DEVELOPMENT: 'no' }).environment['RELAY_LOG_LEVEL']).toBeUndefined()
})

test('settings that mean nothing are named, those that ask for what is done anyway are not', () => {
  const { ignored } = oldEnvironment({
    RELAY_BUFFER_SIZE: '128',
    RELAY_LOG_FILE: '/var/log/relay/relay.log',
    RELAY_LOG_FORMAT: 'json',
    RELAY_PROFILE: 'false',
    RELAY_PORT_PROFILE: '',
  })

  expect(ignored.map((line) => line.split(':')[0])).toEqual(['RELAY_BUFFER_SIZE', 'RELAY_LOG_FILE'])
})
