import { expect, test } from 'vitest'
import { judgeTemperature } from './temperature.ts'

test.each([
  [[], 'unknown'],
  [[{ name: 'cpu-thermal', celsius: 45 }], 'ok'],
  [
    [
      { name: 'gpu', celsius: 30 },
      { name: 'cpu', celsius: 78 },
    ],
    'warning',
  ],
  [[{ name: 'cpu', celsius: 91.2 }], 'problem'],
] as const)('the hottest sensor counts: %j is %s', (zones, level) => {
  expect(judgeTemperature(zones).map((verdict) => verdict.level)).toEqual([level])
})
