import { expect, test } from 'vitest'
import { ageText } from './age-text.ts'

test.each([
  [-5, 'less than a second'],
  [0, 'less than a second'],
  [1_000, '1 second'],
  [119_000, '119 seconds'],
  [120_000, '2 minutes'],
  [119 * 60_000, '119 minutes'],
  [2 * 3_600_000, '2 hours'],
  [47 * 3_600_000, '47 hours'],
  [49 * 3_600_000, '2 days'],
  [400 * 86_400_000, '400 days'],
])('%i ms are %s', (ms, text) => {
  expect(ageText(ms)).toBe(text)
})
