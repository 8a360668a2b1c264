import { expect, test } from 'vitest'
import { PictureClock } from './picture-clock.ts'

test('an even flow has its rate and no jitter', () => {
  const clock = new PictureClock()
  for (let i = 0; i < 100; i += 1) clock.mark(i * 40)

  expect(clock.picturesPerSecond).toBeCloseTo(25, 5)
  expect(clock.jitterMs).toBe(0)
  expect(clock.ageMs(99 * 40 + 15)).toBe(15)
  expect(clock.count).toBe(100)
})

test('an uneven flow has the same rate and shows its jitter', () => {
  const clock = new PictureClock()
  let nowMs = 0
  for (let i = 0; i < 400; i += 1) {
    nowMs += i % 2 === 0 ? 20 : 60
    clock.mark(nowMs)
  }

  expect(clock.picturesPerSecond).toBeGreaterThan(23)
  expect(clock.picturesPerSecond).toBeLessThan(27)
  expect(clock.jitterMs).toBeGreaterThan(15)
})

test('an interruption does not spoil the rate', () => {
  const clock = new PictureClock()
  for (let i = 0; i < 50; i += 1) clock.mark(i * 40)
  clock.mark(100_000)

  expect(clock.picturesPerSecond).toBeCloseTo(25, 5)
})

test('before the first picture nothing is known', () => {
  const clock = new PictureClock()

  expect([clock.ageMs(5), clock.picturesPerSecond, clock.jitterMs]).toEqual([undefined, undefined, undefined])
})
