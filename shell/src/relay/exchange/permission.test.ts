import { expect, test } from 'vitest'
import { isCurrent, type Permission } from './permission.ts'

const base: Permission = {
  role: 'manager',
  prefix: 'shell',
  id: 'pend00',
  path: 'pend00',
  scopes: ['host'],
  bookingId: '',
  keyId: undefined,
  fingerprint: '',
  notBeforeSec: 10,
  expiresAtSec: 20,
}

test.each([
  [9_999, false],
  [10_000, true],
  [19_999, true],
  [20_000, false],
])('at %i ms a permission from 10 s to 20 s is current: %s', (nowMs, expected) => {
  expect(isCurrent(base, nowMs)).toBe(expected)
})

test('without a beginning it is current until its end', () => {
  expect(isCurrent({ ...base, notBeforeSec: undefined }, 0)).toBe(true)
})
