import { expect, test } from 'vitest'
import { judgePower } from './power.ts'

const levels = (throttledFlags: number | undefined, hasLowVoltageAlarm?: boolean): readonly string[] =>
  judgePower({ throttledFlags, hasLowVoltageAlarm }).map(({ level, what }) => `${level}: ${what}`)

test('a board with a strong supply is told so', () => {
  expect(levels(0)).toEqual(['ok: the supply is strong enough'])
  expect(levels(undefined, false)).toEqual(['ok: the supply is strong enough'])
})

test('low voltage now is a problem, by the firmware and by the kernel', () => {
  expect(levels(0x50005)).toEqual([
    'problem: the voltage is too low: cameras and cards fail in strange ways',
    'warning: the processor is slowed down now, by heat or low voltage',
  ])
  expect(levels(undefined, true)).toEqual([
    'problem: the voltage is too low: cameras and cards fail in strange ways',
  ])
})

test('what happened since the start is a warning', () => {
  expect(levels(0x50000)).toEqual([
    'warning: the voltage was too low at least once since the start',
    'warning: the processor was slowed down since the start, by heat or low voltage',
  ])
})

test('a board that tells nothing is no problem', () => {
  expect(levels(undefined)).toEqual(['unknown: this board does not tell whether its supply is strong enough'])
})
