import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatAxisValue, formatMs, formatTimeLeft, formatValue } from './format.ts'

test.for([
  [0, '0.000'],
  [-0.00004, '−4.000e−5'],
  [-1e-9, '−1.000e−9'],
  [1.23456, '1.235'],
  [-12.3456, '−12.35'],
  [123.456, '123.5'],
  [1234.56, '1235'],
  [1.5e9, '1.500e+9'],
  [Number.NaN, '–'],
] as const)('%d is shown as %s', ([value, text]) => {
  expect(formatValue(value)).toBe(text)
})

test('a value never becomes longer than eleven characters', () => {
  fc.assert(fc.property(fc.double(), (value) => formatValue(value).length <= 11))
})

test.for([
  [-5, '0:00'],
  [999, '0:00'],
  [59_999, '0:59'],
  [60_000, '1:00'],
  [599_000, '9:59'],
  [3_599_999, '59:59'],
  [3_600_000, '1 h 00 min'],
  [3_900_000, '1 h 05 min'],
  [172_800_000, '2 days'],
] as const)('%d ms left is shown as %s', ([leftMs, text]) => {
  expect(formatTimeLeft(leftMs)).toBe(text)
})

test('short durations are in milliseconds, longer ones in seconds', () => {
  expect([formatMs(22.6), formatMs(999), formatMs(1450)]).toEqual(['23 ms', '999 ms', '1.4 s'])
})

test.for([
  [0.5, 0.5, '0.5'],
  [-2, 1, '−2'],
  [0.25, 0.05, '0.25'],
  [-0, 0.5, '0.0'],
  [1e6, 1e5, '1.00e+6'],
] as const)('axis value %d with steps of %d is %s', ([value, step, text]) => {
  expect(formatAxisValue(value, step)).toBe(text)
})
