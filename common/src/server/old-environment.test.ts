import { expect, test } from 'vitest'
import { oldEnvironment as translate } from './old-environment.ts'

const oldEnvironment = (environment: Record<string, string>): ReturnType<typeof translate> =>
  translate(environment, { oldPrefix: 'RELAY', ownPrefix: 'RELAY', bufferSetting: 'relay.maxBufferedBytes' })

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

test('another prefix is put into ours, which goes first', () => {
  const names = { oldPrefix: 'JUMP_RELAY', ownPrefix: 'SHELLRELAY', bufferSetting: 'relay.maxPairBytes' }
  const level = (environment: Record<string, string>): string | undefined =>
    translate(environment, names).environment['SHELLRELAY_LOG_LEVEL']

  expect(level({ JUMP_RELAY_LOG_LEVEL: 'warning' })).toBe('warn')
  expect(level({ JUMP_RELAY_LOG_LEVEL: 'warning', SHELLRELAY_LOG_LEVEL: 'panic' })).toBe('fatal')
  expect(level({ JUMP_RELAY_DEVELOPMENT: 'true' })).toBe('debug')
  expect(level({ JUMP_RELAY_LOG_LEVEL: 'nonsense', JUMP_RELAY_DEVELOPMENT: 'true' })).toBeUndefined()
  expect(translate({ JUMP_RELAY_BUFFER_SIZE: '9' }, names).ignored).toEqual([
    'JUMP_RELAY_BUFFER_SIZE: limits are in bytes now, see relay.maxPairBytes',
  ])
})
