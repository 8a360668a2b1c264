import { expect, test } from 'vitest'
import { judgeClock } from './clock.ts'

const nowMs = Date.UTC(2027, 4, 1)

test.each([
  [
    'a synchronised clock is right',
    { nowMs, isSynchronized: true, isNtpEnabled: true },
    'ok',
    /synchronised/,
  ],
  [
    'a board that woke in 1970 is told so',
    { nowMs: 5_000, isSynchronized: true, isNtpEnabled: true },
    'problem',
    /1970.*cannot be/,
  ],
  [
    'a clock far ahead is told so',
    { nowMs: Date.UTC(2099, 1), isSynchronized: false, isNtpEnabled: true },
    'problem',
    /2099/,
  ],
  [
    'a clock that nothing sets is a warning',
    { nowMs, isSynchronized: false, isNtpEnabled: false },
    'warning',
    /NTP is off/,
  ],
  [
    'one that is not set yet is a warning',
    { nowMs, isSynchronized: false, isNtpEnabled: true },
    'warning',
    /not synchronised/,
  ],
  [
    'where nobody can be asked, that is said',
    { nowMs, isSynchronized: undefined, isNtpEnabled: undefined },
    'unknown',
    /cannot be asked/,
  ],
] as const)('%s', (_name, facts, level, what) => {
  expect(judgeClock(facts)).toEqual([
    expect.objectContaining({ level, what: expect.stringMatching(what) as string }),
  ])
})
