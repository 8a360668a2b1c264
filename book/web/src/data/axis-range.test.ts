import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nextAxisRange, type Range } from './axis-range.ts'

test('all values lie inside of the axis, always', () => {
  const value = fc.double({ noNaN: true, min: -1e6, max: 1e6 })
  fc.assert(
    fc.property(fc.array(fc.tuple(value, value), { minLength: 1 }), (pairs) => {
      let range: Range | undefined
      for (const [a, b] of pairs) {
        const [low, high] = [Math.min(a, b), Math.max(a, b)]
        range = nextAxisRange(range, low, high)
        expect(range[0]).toBeLessThanOrEqual(low)
        expect(range[1]).toBeGreaterThanOrEqual(high)
        expect(range[1]).toBeGreaterThan(range[0])
      }
    }),
  )
})

test('the axis stays as it is while the values move a little', () => {
  const first = nextAxisRange(undefined, -1, 1)

  expect(nextAxisRange(first, -0.6, 0.8)).toBe(first)
})

test('it grows at once, on the side where it must', () => {
  const first = nextAxisRange(undefined, -1, 1)
  const grown = nextAxisRange(first, -1, 3)

  expect(grown[0]).toBe(first[0])
  expect(grown[1]).toBeGreaterThan(3)
})

test('it shrinks when the values have become small', () => {
  const [min, max] = nextAxisRange([-10, 10], -0.1, 0.1)

  expect(min).toBeCloseTo(-0.12)
  expect(max).toBeCloseTo(0.12)
})

test('an instrument at rest has a flat line in a steady axis', () => {
  const atRest = nextAxisRange(undefined, 2, 2)

  expect(atRest[0]).toBeLessThan(2)
  expect(nextAxisRange(atRest, 2, 2)).toBe(atRest)
})
