import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pidStep } from './pid.ts'

const number = fc.double({ min: -1e6, max: 1e6, noNaN: true })
const gain = fc.double({ min: 0, max: 100, noNaN: true })

test('the output never leaves its limit, whatever the error and the past', () => {
  fc.assert(
    fc.property(
      gain,
      gain,
      gain,
      fc.array(fc.tuple(number, number), { maxLength: 50 }),
      (kp, ki, kd, steps) => {
        let memory = { integral: 0 }
        for (const [error, rate] of steps) {
          const next = pidStep({ kp, ki, kd }, memory, { error, rate, stepS: 0.001, limit: 12 })
          if (!(Math.abs(next.output) <= 12)) return false
          memory = next.memory
        }
        return true
      },
    ),
  )
})

test('a long time at the limit does not wind the integral up', () => {
  let memory = { integral: 0 }
  for (let i = 0; i < 100_000; i += 1) {
    memory = pidStep({ kp: 1, ki: 1, kd: 0 }, memory, { error: 100, rate: 0, stepS: 0.01, limit: 2 }).memory
  }

  const after = pidStep({ kp: 1, ki: 1, kd: 0 }, memory, { error: -1, rate: 0, stepS: 0.01, limit: 2 })

  expect(after.output).toBeLessThan(0)
})

test('a steady error is integrated until the output grows to the limit', () => {
  let memory = { integral: 0 }
  let output = 0
  for (let i = 0; i < 1000; i += 1) {
    const next = pidStep({ kp: 0.1, ki: 1, kd: 0 }, memory, { error: 1, rate: 0, stepS: 0.01, limit: 2 })
    ;({ memory, output } = next)
  }

  expect(output).toBeCloseTo(2, 1)
})
