import { UsageError } from '../errors.ts'
import { expect, test } from 'vitest'
import { readEnd } from './booking-command.ts'

const nowMs = Date.UTC(2026, 10, 22, 12)

test.each([
  ['1800000000', 1_800_000_000],
  ['2026-11-22T13:00:00Z', nowMs / 1000 + 3600],
  ['2h', nowMs / 1000 + 7200],
  ['1m30s', nowMs / 1000 + 90],
])('%s is the second %d', (text, seconds) => {
  expect(readEnd(text, nowMs)).toBe(seconds)
})

test.each(['', 'soon', '-5', '2026-13-01', '1e300', '99999999999999', '5 h'])('%j is refused', (text) => {
  expect(() => readEnd(text, nowMs)).toThrow(UsageError)
})
