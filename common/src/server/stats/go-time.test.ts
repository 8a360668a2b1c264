import { expect, test } from 'vitest'
import { goDuration, goTime, rfc3339 } from './go-time.ts'

test.each([
  [0, '0s'],
  [0.0005, '500ns'],
  [0.0015, '1.5µs'],
  [1.5, '1.5ms'],
  [250, '250ms'],
  [1500, '1.5s'],
  [1000, '1s'],
  [123_100, '2m3.1s'],
  [3_600_000, '1h0m0s'],
  [3_723_004.5, '1h2m3.0045s'],
  [-5, '0s'],
])('%d ms reads %s', (ms, text) => {
  expect(goDuration(ms)).toBe(text)
})

test.each([
  [1_645_617_072_123, 1234, '2022-02-23 11:51:12.123 +0000 UTC m=+1.234000000'],
  [1_645_617_072_000, 0, '2022-02-23 11:51:12 +0000 UTC m=+0.000000000'],
])('the moment %d, %d ms after the start, reads %s', (epochMs, sinceStartMs, text) => {
  expect(goTime(epochMs, sinceStartMs)).toBe(text)
})

test.each([
  [0, '1970-01-01T00:00:00Z'],
  [1_674_993_600.9, '2023-01-29T12:00:00Z'],
  [12_000_000_000, '2350-04-07T21:20:00Z'],
  [1_700_000_000_000, ''],
  [Number.MAX_VALUE, ''],
])('the second %d reads %j', (epochSec, text) => {
  expect(rfc3339(epochSec)).toBe(text)
})
