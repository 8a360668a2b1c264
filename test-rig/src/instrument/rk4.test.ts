import { expect, test } from 'vitest'
import { rk4Step } from './rk4.ts'

test('a step follows an exponential to the fourth order', () => {
  const decay = ([x = 0]: readonly number[]): readonly number[] => [-x]
  const errorOf = (steps: number): number => {
    let state: readonly number[] = [1]
    for (let i = 0; i < steps; i += 1) state = rk4Step(state, 1 / steps, decay)
    return Math.abs((state[0] ?? 0) - Math.exp(-1))
  }

  const ratio = errorOf(10) / errorOf(20)

  expect(errorOf(20)).toBeLessThan(1e-6)
  expect(ratio).toBeGreaterThan(14)
  expect(ratio).toBeLessThan(18)
})
