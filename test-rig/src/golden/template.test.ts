import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fillTemplate, matchText, secondsFromNow } from './template.ts'

const values = new Map([
  ['target', 'ws://127.0.0.1:8083'],
  ['i', '7'],
])

test('values are put in wherever they are named', () => {
  expect(fillTemplate('{{target}}/session/x {"n":{{i}}}', values)).toBe(
    'ws://127.0.0.1:8083/session/x {"n":7}',
  )
})

test('a name without a value is refused with the text it stands in', () => {
  expect(() => fillTemplate('a {{nope}}', values)).toThrow('no value for {{nope}} in "a {{nope}}"')
})

test('now is the current whole second plus an offset, which may have a fraction', () => {
  const before = Math.floor(Date.now() / 1000)
  const seconds = secondsFromNow('now-1.5') ?? NaN
  const after = Math.floor(Date.now() / 1000)

  expect(seconds).toBeGreaterThanOrEqual(before - 1.5)
  expect(seconds).toBeLessThanOrEqual(after - 1.5)
  expect(fillTemplate('{{now+60}}', values)).toMatch(/^\d{10}$/)
  expect(secondsFromNow('now and then')).toBeUndefined()
})

test.for([
  ['{{uuid}}', '0f8fad5b-d9cb-469f-a165-70867728950e', '0f8fad5b-d9cb-169f-a165-70867728950e'],
  ['{{number}}', '-1.5e3', '1,5'],
  ['{{time}}', '2023-01-29T12:00:00Z', '2023-01-29 12:00:00'],
  ['{{goTime}}', '2022-02-23 11:51:12.123456789 +0000 UTC m=+1.234', '2022-02-23T11:51:12Z'],
  ['{{duration}}', '2m3.1s', '2 minutes'],
  ['{{duration}}', '15.25µs', 's'],
  ['a{{any}}z', 'a\nz', 'a'],
  ['{{target}}/{{any}}', 'ws://127.0.0.1:8083/', 'ws://127.0.0.1:8083'],
  ['(.*)', '(.*)', 'x'],
] as const)('%s stands for %s and not for %s', ([expected, fitting, other]) => {
  expect(matchText(expected, fitting, values)).toBe(true)
  expect(matchText(expected, other, values)).toBe(false)
})

test('a text without placeholders matches itself alone', () => {
  const plain = fc.string().filter((text) => !text.includes('{{'))
  fc.assert(
    fc.property(plain, plain, (expected, actual) => {
      expect(matchText(expected, expected, values)).toBe(true)
      expect(matchText(expected, actual, values)).toBe(expected === actual)
    }),
  )
})
