import { expect, test } from 'vitest'
import { instrumentFigures } from './instrument-figures.ts'

test('a healthy instrument has nothing to tell beside its counters', () => {
  expect(
    instrumentFigures({ garbageBytes: 0, renames: 0, opened: '/dev/ttyACM0', recording: undefined }),
  ).toEqual([])
  expect(instrumentFigures({ recording: { state: 'recording', lostBytes: 0 } })).toEqual([])
})

test('noise, a new name and a recording in trouble are told', () => {
  const recording = { state: 'failed', lostBytes: 7 }

  expect(instrumentFigures({ garbageBytes: 4, renames: 1, opened: '/dev/ttyACM1', recording })).toEqual([
    'garbage 4 bytes (is baudRate right?)',
    'now as /dev/ttyACM1',
    'recording failed',
    'not recorded 7 bytes',
  ])
})
