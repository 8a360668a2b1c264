import fc from 'fast-check'
import { expect, test } from 'vitest'
import { gaussian } from './gaussian.ts'

test('every draw is finite, also at the ends of the range', () => {
  const draw = fc.oneof(
    fc.constantFrom(0, 1 - 2 ** -53),
    fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  )
  fc.assert(fc.property(draw, draw, (a, b) => Number.isFinite(gaussian(sequence([a, b])))))
})

test('many draws have mean 0 and deviation 1', () => {
  let seed = 1
  const random = (): number => {
    seed = (seed * 48_271) % 2_147_483_647
    return (seed - 1) / 2_147_483_646
  }
  const draws = Array.from({ length: 20_000 }, () => gaussian(random))
  const mean = draws.reduce((sum, x) => sum + x, 0) / draws.length
  const variance = draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / draws.length

  expect(mean).toBeCloseTo(0, 1)
  expect(Math.sqrt(variance)).toBeCloseTo(1, 1)
})

function sequence(values: readonly number[]): () => number {
  let i = 0
  return () => values[i++ % values.length] ?? 0
}
