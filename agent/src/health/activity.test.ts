import { expect, test } from 'vitest'
import { ActivityMeter } from './activity.ts'
import type { HealthPart } from './health-part.ts'

function part(title: string, count: number): HealthPart {
  return {
    kind: 'camera',
    title,
    name: title,
    state: 'live',
    works: true,
    fault: undefined,
    count,
    facts: {},
  }
}

test('a rate is that of the last looks', () => {
  const meter = new ActivityMeter()
  for (let second = 0; second <= 20; second++)
    meter.sample([part('a', second < 10 ? second * 24 : 240)], second * 1000)

  expect(meter.of('a', 20_000)).toEqual({ part: 'a', perSecond: 0, quietMs: 10_000 })
  meter.sample([part('a', 265)], 21_000)
  expect(meter.of('a', 21_500)).toEqual({ part: 'a', perSecond: 5, quietMs: 500 })
})

test('before anything came there is no age, and before two looks no rate', () => {
  const meter = new ActivityMeter()
  meter.sample([part('a', 0)], 0)

  expect(meter.of('a', 1000)).toEqual({ part: 'a', perSecond: undefined, quietMs: undefined })
  expect(meter.of('b', 1000)).toEqual({ part: 'b', perSecond: undefined, quietMs: undefined })
})

test('a part that begins anew under an old name, or was away, never has a negative rate', () => {
  const meter = new ActivityMeter()
  meter.sample([part('a', 1000)], 0)
  meter.sample([part('a', 1024)], 1000)
  meter.sample([part('a', 10)], 2000)
  expect(meter.of('a', 2000)).toEqual({ part: 'a', perSecond: undefined, quietMs: 0 })

  meter.sample([], 3000)
  expect(meter.of('a', 3000)).toEqual({ part: 'a', perSecond: undefined, quietMs: undefined })
})
