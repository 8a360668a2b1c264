import fc from 'fast-check'
import { expect, test } from 'vitest'
import { comparePlans, type PartPlan } from './part-plan.ts'

function plan(key: string, settings: unknown): PartPlan {
  const make = (): never => {
    throw new Error('a comparison makes nothing')
  }
  return { key, settings, make }
}
const keys = (plans: readonly PartPlan[]): readonly string[] => plans.map(({ key }) => key)

test('a part whose settings are equal is kept, and all else is ended, started or both', () => {
  const before = [
    plan('camera a', { size: [1, 2] }),
    plan('camera b', { size: 1 }),
    plan('camera c', undefined),
  ]
  const after = [plan('camera d', {}), plan('camera b', { size: 2 }), plan('camera a', { size: [1, 2] })]

  const { kept, ended, started } = comparePlans(before, after)

  expect(keys(kept)).toEqual(['camera a'])
  expect(keys(ended)).toEqual(['camera b', 'camera c'])
  expect(keys(started)).toEqual(['camera d', 'camera b'])
})

test('whatever ran and is wanted, afterwards just what is wanted runs', () => {
  const plans = fc
    .uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.integer({ min: 0, max: 2 })), {
      selector: ([key]) => key,
    })
    .map((pairs) => pairs.map(([key, settings]) => plan(key, { settings })))
  fc.assert(
    fc.property(plans, plans, (running, wanted) => {
      const { kept, ended, started } = comparePlans(running, wanted)
      expect([...keys(kept), ...keys(started)].sort()).toEqual([...keys(wanted)].sort())
      expect([...keys(kept), ...keys(ended)].sort()).toEqual([...keys(running)].sort())
    }),
  )
})
