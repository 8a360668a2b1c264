import { expect, test } from 'vitest'
import { type ConnectionFacts, statsElement022, statsElement093, statusElement } from './connection-report.ts'

const never = { messages: 0, bytes: 0, lastMs: -1 }
const facts: ConnectionFacts = {
  topic: 't',
  canRead: false,
  canWrite: true,
  scopes: ['write'],
  remoteAddr: '192.0.2.7',
  userAgent: 'agent/1',
  connectedAtMs: 1_645_617_072_000,
  connectedMonotonicMs: 5000,
  expiresAtSec: 1_645_620_000,
  sent: { messages: 4, bytes: 10, lastMs: 7000 },
  received: never,
}

test('the older generation reports traffic, in the order of its keys', () => {
  const element = statsElement022(facts, { monotonicMs: 8500, startedMonotonicMs: 1000 })

  expect(JSON.stringify(element)).toBe(
    '{"topic":"t","canRead":false,"canWrite":true,"connected":"2022-02-23 11:51:12 +0000 UTC m=+4.000000000",' +
      '"remoteAddr":"192.0.2.7","userAgent":"agent/1","stats":{"tx":{"last":"1.5s","size":3,"fps":2},' +
      '"rx":{"last":"Never","size":0,"fps":0}}}',
  )
})

test('a rate is never infinite, which JSON could not hold', () => {
  const element = statsElement022(
    { ...facts, sent: { messages: 1, bytes: 5, lastMs: 5000 } },
    { monotonicMs: 5000, startedMonotonicMs: 0 },
  )

  expect(element).toMatchObject({ stats: { tx: { last: '0s', size: 5, fps: 0 } } })
})

test('the newer generation reports permissions', () => {
  expect(JSON.stringify(statsElement093(facts))).toBe(
    '{"canRead":false,"canWrite":true,"connected":"2022-02-23T11:51:12Z","expiresAt":"2022-02-23T12:40:00Z",' +
      '"remoteAddr":"192.0.2.7","scopes":["write"],"topic":"t","userAgent":"agent/1"}',
  )
})

test('the status leaves out what is false or empty', () => {
  expect(statusElement({ ...facts, remoteAddr: '', userAgent: '', expiresAtSec: 1e300 })).toEqual({
    can_write: true,
    connected_at: '2022-02-23T11:51:12Z',
    scopes: ['write'],
    topic: 't',
  })
})
