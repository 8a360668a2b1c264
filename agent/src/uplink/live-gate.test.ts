import { expect, test } from 'vitest'
import { framePackets } from '../../test/made-up-stream.ts'
import { type LinkLoad, LiveGate } from './live-gate.ts'

const key = framePackets({ bytes: 100, isKey: true, tellsLength: true })
const inner = framePackets({ bytes: 100, isKey: false, tellsLength: true })
const free: LinkLoad = { bufferedBytes: 0, lagMs: 0, bestRoundTripMs: 20, nowMs: 0 }
const limits = { maxBufferedBytes: 1_000, maxLagMs: 1_000 }

test('an idle link takes every message', () => {
  const gate = new LiveGate(limits)

  expect([inner, key, inner].map((message) => gate.admits(message, free))).toEqual([true, true, true])
})

test.each([
  ['bytes in this process', { ...free, bufferedBytes: 1_001 }],
  ['a relay that is behind', { ...free, lagMs: 1_001 }],
])(
  '%s above the limit closes the gate, and it stays closed until a quarter and a key frame',
  (_what, busy) => {
    const gate = new LiveGate(limits)

    expect(gate.admits(key, busy)).toBe(false)
    expect(gate.admits(key, { ...free, bufferedBytes: 251 })).toBe(false)
    expect(gate.admits(key, { ...free, lagMs: 251 })).toBe(false)
    expect(gate.admits(inner, free)).toBe(false)
    expect(gate.admits(key, free)).toBe(true)
    expect(gate.admits(inner, free)).toBe(true)
  },
)

test('a link with long round trips may be three of them behind', () => {
  const gate = new LiveGate(limits)

  expect(gate.admits(key, { ...free, bestRoundTripMs: 700, lagMs: 2_000 })).toBe(true)
  expect(gate.admits(key, { ...free, bestRoundTripMs: 700, lagMs: 2_101 })).toBe(false)
})

test('a stream without marked key frames goes on after five seconds', () => {
  const gate = new LiveGate(limits)
  gate.admits(inner, { ...free, bufferedBytes: 2_000 })

  expect(gate.admits(inner, { ...free, nowMs: 1_000 })).toBe(false)
  expect(gate.admits(inner, { ...free, nowMs: 5_999 })).toBe(false)
  expect(gate.admits(inner, { ...free, nowMs: 6_000 })).toBe(true)
})

test('messages that are no MPEG-TS need no key frame', () => {
  const gate = new LiveGate(limits)
  gate.admits(inner, { ...free, bufferedBytes: 2_000 })

  expect(gate.admits(Buffer.from('jpeg'), free)).toBe(true)
})
