import { UsageError } from '@relay/common/errors'
import { expect, test } from 'vitest'
import { withoutOldFlags } from './old-flags.ts'

test.each([
  [['--dev', 'relay'], ['relay'], ['--dev']],
  [['relay', '--dev=false'], ['relay'], ['--dev']],
  [['--log', 'client', 'host'], ['host'], ['--log']],
  [
    ['token', '--log=/var/log/x', '--dev', '--log', 'y', '--role', 'host'],
    ['token', '--role', 'host'],
    ['--log', '--dev'],
  ],
  [['client', '--log-level', 'debug'], ['client', '--log-level', 'debug'], []],
  [['connect', '--', '--dev'], ['connect', '--', '--dev'], []],
] as const)('of %j is left %j', (given, argv, flags) => {
  expect(withoutOldFlags(given)).toEqual({ argv, flags })
})

test.each([
  [['relay', '--log'], '--log needs a value'],
  [['relay', '--dev=perhaps'], '--dev: "perhaps" is not true or false'],
] as const)('%j is refused', (given, says) => {
  expect(() => withoutOldFlags(given)).toThrow(new UsageError(says))
})
