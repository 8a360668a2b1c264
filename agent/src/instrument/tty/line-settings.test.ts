import { expect, test } from 'vitest'
import { type LineSettings, writeDeadlineMs } from './line-settings.ts'

const line: LineSettings = { baudRate: 9600, dataBits: 8, parity: 'none', stopBits: 1, rtscts: false }

test('a command may take twice the time that the line needs for it, and the grace', () => {
  expect(writeDeadlineMs(0, line, 5_000)).toBe(5_000)
  expect(writeDeadlineMs(960, line, 5_000)).toBe(7_000)
  expect(writeDeadlineMs(1200, { ...line, parity: 'even', stopBits: 2 }, 1_000)).toBe(4_000)
  expect(writeDeadlineMs(960, { ...line, baudRate: 115_200 }, 5_000)).toBe(5_167)
})
