import fc from 'fast-check'
import { expect, test } from 'vitest'
import { lowestAndHighest } from './lowest-and-highest.ts'

test('the range is that of the numbers, wherever NaN stands between them', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.double({ noNaN: true }), fc.constant(Number.NaN))), (values) => {
      const numbers = values.filter((value) => !Number.isNaN(value)).toSorted((a, b) => a - b)

      const [lowest, highest] = lowestAndHighest(Float64Array.from(values))

      expect([lowest + 0, highest + 0]).toEqual([
        (numbers[0] ?? Number.NaN) + 0,
        (numbers.at(-1) ?? Number.NaN) + 0,
      ])
    }),
  )
})
