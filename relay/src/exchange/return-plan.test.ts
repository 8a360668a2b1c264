import { longestReturnMs } from '@relay/common/return-hint'
import { expect, test } from 'vitest'
import { returnSlotMs, returnSpreadMs } from './return-plan.ts'

const slots = (links: number): readonly number[] =>
  Array.from({ length: links }, (_none, index) => returnSlotMs(index))

test('200 devices with two links each are back within 15 s, and the first at once', () => {
  expect(returnSlotMs(0)).toBe(0)
  expect(Math.max(...slots(400))).toBeLessThan(15_000)
  expect(returnSpreadMs(400)).toBeLessThan(15_000)
})

test('however many there are, no moment gets more than its share, and none is later than hosts wait', () => {
  const bySecond = Map.groupBy(slots(20_000), (ms) => Math.floor(ms / 1000))

  expect(Math.max(...bySecond.keys())).toBeLessThan(longestReturnMs / 1000)
  expect(Math.max(...[...bySecond.values()].map((ofOne) => ofOne.length))).toBeLessThan(200)
})
