import fc from 'fast-check'
import { expect, test } from 'vitest'
import { goJsonMap, goJsonString, goJsonStrings } from './go-json-text.ts'

test.each([
  ['plain', '"plain"'],
  ['a<b>&c', '"a\\u003cb\\u003e\\u0026c"'],
  ['quote " and \\', '"quote \\" and \\\\"'],
  ['a\nb\rc\td', '"a\\nb\\rc\\td"'],
  ['\b\f\u0000', '"\\u0008\\u000c\\u0000"'],
  ['\u2028\u2029', '"\\u2028\\u2029"'],
  ['häß 😀 /', '"häß 😀 /"'],
  ['\ud800', '"\ufffd"'],
])('%j is written as Go writes it', (text, expected) => {
  expect(goJsonString(text)).toBe(expected)
})

test('whatever the text, JSON.parse gives it back', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => JSON.parse(goJsonString(text)) === text))
})

test('no list at all is null, an empty one is empty', () => {
  expect(goJsonStrings(null)).toBe('null')
  expect(goJsonStrings([])).toBe('[]')
  expect(goJsonStrings(['a', '<'])).toBe('["a","\\u003c"]')
})

test('keys are in the order of their bytes, numbers among them', () => {
  const entries = ['b', '10', 'ä', '00', 'a', '9', ''].map((key) => [key, '1'] as const)
  expect(goJsonMap(entries)).toBe('{"":1,"00":1,"10":1,"9":1,"a":1,"b":1,"ä":1}')
})
