import { expect, test } from 'vitest'
import { isCurrent, type Permission, permissionOf } from './permission.ts'

const claims = {
  topic: 't',
  prefix: 'session',
  audiences: [],
  bookingId: 'b',
  subject: '',
  expiresAtSec: 100,
  notBeforeSec: 10,
  issuedAtSec: 10,
}

test.each([
  [['read'], true, false],
  [['write'], false, true],
  [['read', 'write', 'x'], true, true],
  [['Read', 'READ', 'writes'], false, false],
])('the scopes %j allow reading: %s, writing: %s', (scopes, canRead, canWrite) => {
  const permission = permissionOf(
    { ...claims, scopes },
    { subject: 's', keyId: undefined, expiresAtSec: 100 },
  )

  expect(permission).toMatchObject({ canRead, canWrite, topic: 't', bookingId: 'b', notBeforeSec: 10 })
})

test.each([
  [9_999, false],
  [10_000, true],
  [99_999, true],
  [100_000, false],
])('a permission from 10 s to 100 s holds at %i ms: %s', (nowMs, holds) => {
  expect(isCurrent({ notBeforeSec: 10, expiresAtSec: 100 } as Permission, nowMs)).toBe(holds)
})
