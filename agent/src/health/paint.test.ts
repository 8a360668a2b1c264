import { expect, test } from 'vitest'
import { choosePaint } from './paint.ts'

test.each([
  [true, {}, true],
  [true, { NO_COLOR: '' }, true],
  [true, { NO_COLOR: '1' }, false],
  [true, { TERM: 'dumb' }, false],
  [false, {}, false],
])('on a terminal: %s, with %j: colours %s', (isTerminal, environment, isColoured) => {
  expect(choosePaint({ isTerminal, environment })('no', 'bad')).toBe(
    isColoured ? '\u001b[31mno\u001b[0m' : 'no',
  )
})
