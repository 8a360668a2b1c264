import fc from 'fast-check'
import { expect, test } from 'vitest'
import { splitJson } from './split-json.ts'

const container = fc.oneof(fc.object(), fc.array(fc.jsonValue())).map((value) => JSON.stringify(value))

test('joined objects and arrays come apart, whatever their strings hold', () => {
  fc.assert(
    fc.property(
      fc.array(container, { minLength: 1, maxLength: 8 }),
      fc.constantFrom('', ' ', '\n'),
      (texts, between) => {
        const parts = splitJson(Buffer.from(texts.join(between)))
        expect(parts.map(String)).toEqual(texts)
      },
    ),
  )
})

test.each([
  'plain text',
  '{"a":1',
  '{"a":1}}',
  '{"a":1} and more',
  '"a string"{"a":1}',
  '}{',
  '',
  '12{"a":1}',
  '{"unfinished: 1}',
])('%j is not ours to repair and stays whole', (text) => {
  expect(splitJson(Buffer.from(text)).map(String)).toEqual([text])
})

test('white space around the objects is left out', () => {
  expect(splitJson(Buffer.from(' {"a":1}\r\n\t[2] ')).map(String)).toEqual(['{"a":1}', '[2]'])
})

test('no bytes at all end in an exception', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const parts = splitJson(Buffer.from(bytes))
      expect(parts.reduce((sum, part) => sum + part.length, 0)).toBeLessThanOrEqual(bytes.length)
    }),
  )
})
