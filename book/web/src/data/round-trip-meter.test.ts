import { expect, test } from 'vitest'
import { RoundTripMeter } from './round-trip-meter.ts'

function meterAtHalf(): RoundTripMeter {
  return new RoundTripMeter(() => 0.5)
}

test('the median of the answers is the result', () => {
  const meter = meterAtHalf()
  for (const tripMs of [20, 900, 30]) {
    const id = meter.nextPing(0)
    if (id !== undefined) meter.takePong(id, tripMs)
  }

  expect(meter.medianMs).toBe(30)
})

test('answers to other viewers, and second answers, are not counted', () => {
  const meter = meterAtHalf()
  const id = meter.nextPing(0) ?? 0

  expect(meter.takePong(id + 1, 5)).toBe(false)
  expect(meter.medianMs).toBeUndefined()
  expect(meter.takePong(id, 20)).toBe(true)
  expect(meter.takePong(id, 700)).toBe(false)
  expect(meter.medianMs).toBe(20)
})

test('two viewers begin at different numbers, and numbers fit into 32 bits', () => {
  const [first, second] = [0.1, 0.2].map((value) => new RoundTripMeter(() => value).nextPing(0) ?? 0)

  expect(first).not.toBe(second)
  expect(new RoundTripMeter(() => 0.999_999_999).nextPing(0)).toBeLessThan(2 ** 31 - 1_000_000)
})

test('an instrument that does not answer is asked rarely, and again often once it answers', () => {
  const meter = meterAtHalf()
  const asked: number[] = []
  for (let nowMs = 0; nowMs <= 120_000; nowMs += 2000) {
    if (meter.nextPing(nowMs) !== undefined) asked.push(nowMs)
  }

  expect(asked.filter((nowMs) => nowMs > 30_000).length).toBeLessThanOrEqual(4)
  expect(meter.medianMs).toBeUndefined()

  const id = meter.nextPing(200_000) ?? 0
  expect(meter.takePong(id, 200_030)).toBe(true)
  expect(meter.medianMs).toBe(30)
  expect(meter.nextPing(202_000)).toBeDefined()
})

test('what was under way over a link that broke is forgotten, not counted as lost', () => {
  const meter = meterAtHalf()
  const id = meter.nextPing(0) ?? 0
  meter.reset()

  expect(meter.takePong(id, 50)).toBe(false)
  expect(meter.medianMs).toBeUndefined()
})
