import fc from 'fast-check'
import { expect, test } from 'vitest'
import { explainJsonMismatch, explainSetMismatch } from './match-json.ts'

const whole = { values: new Map([['audience', 'https://a']]), subset: false }
const subset = { ...whole, subset: true }

/** JSON whose texts and keys hold no placeholders, as it comes out of a parser. */
const plainJson = fc
  .json()
  .filter((text) => !text.includes('{{'))
  .map((text) => JSON.parse(text) as unknown)

test('whatever the value, it matches itself, whole and as a subset', () => {
  fc.assert(
    fc.property(plainJson, (value) => {
      expect(explainJsonMismatch(value, value, whole)).toBeUndefined()
      expect(explainJsonMismatch(value, value, subset)).toBeUndefined()
    }),
  )
})

test('values that print differently never match', () => {
  fc.assert(
    fc.property(plainJson, plainJson, (one, other) => {
      fc.pre(!equalIgnoringOrder(one, other))
      expect(explainJsonMismatch(one, other, whole)).toBeDefined()
    }),
  )
})

test.for([
  [{ a: 1 }, { a: 1, b: 2 }, '$.b: not expected, got 2'],
  [{ a: { b: 'x' } }, { a: { b: 'y' } }, '$.a.b: expected "x", got "y"'],
  [{ a: 1 }, {}, '$.a: missing, expected 1'],
  [[1, 2], [1], '$: expected [1,2], got [1]'],
  [{ n: '{{number}}' }, { n: '5' }, '$.n: expected "{{number}}", got "5"'],
  [{ n: '{{any}}' }, { n: 5 }, '$.n: expected "{{any}}", got 5'],
  [null, 0, '$: expected null, got 0'],
] as const)('%j against %j says where it differs', ([expected, actual, sentence]) => {
  expect(explainJsonMismatch(expected, actual, whole)).toBe(sentence)
})

test('placeholders stand for numbers, texts and anything at all', () => {
  const expected = { n: '{{number}}', t: '{{any}}', x: '{{anything}}', aud: ['{{audience}}'] }

  expect(explainJsonMismatch(expected, { n: 1.5, t: '', x: null, aud: ['https://a'] }, whole)).toBeUndefined()
})

test('a subset allows more keys at every depth and still wants its own', () => {
  expect(explainJsonMismatch({ a: { b: 1 } }, { a: { b: 1, c: 2 }, d: 3 }, subset)).toBeUndefined()
  expect(explainJsonMismatch({ a: { b: 1 } }, { a: { c: 2 } }, subset)).toBeDefined()
})

test('a set matches in any order, and every expectation needs an element of its own', () => {
  const options = { ...subset, part: false }

  expect(explainSetMismatch([{ a: 1 }, { b: 2 }], [{ b: 2, a: 1 }, { a: 1 }], options)).toBeUndefined()
  expect(explainSetMismatch([{ a: 1 }, { a: 1 }], [{ a: 1 }, { b: 2 }], options)).toContain(
    'no element of its own',
  )
  expect(explainSetMismatch([1], [1, 2], options)).toContain('expected 1 elements')
  expect(explainSetMismatch([1], [1, 2], { ...options, part: true })).toBeUndefined()
  expect(explainSetMismatch([1], 'no list', options)).toContain('expected a list')
})

test('a shuffled list is the same set, and one without an element is not', () => {
  const lists = fc.array(fc.nat(5), { minLength: 1, maxLength: 8 })
  const shuffled = lists.chain((list) =>
    fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
  )
  fc.assert(
    fc.property(shuffled, ([list, other]) => {
      const options = { ...whole, part: false }
      expect(explainSetMismatch(list, other, options)).toBeUndefined()
      expect(explainSetMismatch(list, other.slice(1), { ...options, part: true })).toBeDefined()
    }),
  )
})

function equalIgnoringOrder(one: unknown, other: unknown): boolean {
  try {
    expect(one).toStrictEqual(other)
    return true
  } catch {
    return false
  }
}
