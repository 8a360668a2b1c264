import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readReturn, readSpread, reasonWithReturn, spreadPayload } from './return-hint.ts'

const upToTwoMinutes = fc.integer({ min: 0, max: 120_000 })

test('what a relay tells is what a host reads', () => {
  fc.assert(
    fc.property(upToTwoMinutes, (ms) => {
      expect(readSpread(spreadPayload(ms))).toBe(ms)
      expect(readReturn(reasonWithReturn('going away', ms))).toBe(ms)
    }),
  )
})

test('both fit into a control frame', () => {
  expect(spreadPayload(120_000).length).toBeLessThanOrEqual(125)
  expect(Buffer.byteLength(reasonWithReturn('going away', 120_000))).toBeLessThanOrEqual(123)
})

test('what others put into pings and reasons is no hint', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 125 }), fc.string(), (payload, reason) => {
      expect(readSpread(Buffer.from(payload))).toBeUndefined()
      expect(readReturn(reason)).toBeUndefined()
    }),
  )
  expect(readSpread(Buffer.from('return-within-ms=-5'))).toBeUndefined()
  expect(readReturn('going away; return-after-ms=1e3')).toBeUndefined()
})

test('nobody can keep a host away for more than two minutes', () => {
  expect(readSpread(Buffer.from('return-within-ms=999999999'))).toBe(120_000)
  expect(readReturn('x; return-after-ms=999999999')).toBe(120_000)
})
