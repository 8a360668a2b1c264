import { expect, test } from 'vitest'
import { newestFault, statusLine } from './status-line.ts'
import type { StatusReport } from './status-report.ts'

const atMs = Date.UTC(2026, 0, 1, 9, 5)
const fault = { code: 'CAMERA_MISSING', message: 'the camera /dev/x is not there', atMs }

function report(parts: Readonly<Record<string, unknown>>): StatusReport {
  return {
    name: 'pend00',
    atMs: atMs + 1,
    stuck: [],
    activity: [],
    cameras: [],
    instruments: [],
    uplinks: [],
    ...parts,
  } as never
}

const whole = report({
  cameras: [
    { name: 'front', state: 'live' },
    { name: 'back', state: 'waiting', fault },
  ],
  instruments: [
    { name: 'board', state: 'open' },
    { name: 'arm', state: 'open' },
    { name: 'cart', state: 'open' },
  ],
  mqttInstruments: [{ name: 'plug', state: 'connecting' }],
  uplinks: [
    { id: 'a', state: { kind: 'live' } },
    { id: 'b', state: { kind: 'waiting' } },
  ],
  activity: [
    { part: 'camera front', perSecond: 24.2, quietMs: 20 },
    { part: 'instrument board', perSecond: 100, quietMs: 1_500 },
    { part: 'instrument arm', perSecond: 0, quietMs: 47_000 },
    { part: 'instrument cart', perSecond: undefined, quietMs: undefined },
  ],
})

test('the line tells name, link, figures of each part and the last fault', () => {
  const lastFault = newestFault(whole, undefined)

  expect(statusLine({ report: whole, lastFault, configFault: undefined })).toBe(
    'pend00 | linked 1 of 2 | front 24 fps | back waiting | board now | arm 40 seconds ago | cart silent | ' +
      'plug connecting | last fault 2026-01-01 09:05 UTC: camera back: the camera /dev/x is not there',
  )
})

test.each([
  [{}, 'pend00'],
  [{ name: '' }, 'running'],
  [{ uplinks: [{ id: 'a', state: { kind: 'live' } }] }, 'pend00 | linked'],
  [{ uplinks: [{ id: 'a', state: { kind: 'idle' } }] }, 'pend00 | not linked'],
  [
    {
      uplinks: [
        { id: 'a', state: { kind: 'live' }, viewers: 3 },
        { id: 'b', state: { kind: 'live' }, viewers: 1 },
      ],
    },
    'pend00 | linked, 3 viewers',
  ],
  [{ uplinks: [{ id: 'a', state: { kind: 'live' }, viewers: 1 }] }, 'pend00 | linked, 1 viewer'],
  [{ stuck: [{ part: 'uplink a', overdueMs: 1 }] }, 'pend00 | stuck: uplink a'],
  [{ cameras: [{ name: 'c', state: 'live', fault }] }, 'pend00 | c live'],
])('of %j it says "%s"', (parts, expected) => {
  expect(statusLine({ report: report(parts), lastFault: undefined, configFault: undefined })).toBe(expected)
})

test('a configuration that does not hold is told before all else', () => {
  expect(statusLine({ report: report({}), lastFault: undefined, configFault: fault })).toBe(
    'pend00 | the changed configuration is wrong and does not hold',
  )
})

test('a fault stays the last one until there is a newer one', () => {
  const older = { part: 'uplink a', fault: { ...fault, atMs: atMs - 1 } }
  const newer = { part: 'uplink a', fault: { ...fault, atMs: atMs + 1 } }

  expect(newestFault(report({}), older)).toBe(older)
  expect(newestFault(whole, older)?.part).toBe('camera back')
  expect(newestFault(whole, newer)).toBe(newer)
})

test('a fault of the future, before the clock was set back, gives way to one of now', () => {
  const future = { part: 'uplink a', fault: { ...fault, atMs: atMs + 86_400_000 } }

  expect(newestFault(whole, future)?.part).toBe('camera back')
  expect(newestFault(report({}), future)).toBe(future)
})
