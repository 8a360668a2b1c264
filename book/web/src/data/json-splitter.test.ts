import fc from 'fast-check'
import { expect, test } from 'vitest'
import { JsonSplitter } from './json-splitter.ts'

function split(pieces: readonly string[]): { values: unknown[]; splitter: JsonSplitter } {
  const values: unknown[] = []
  const splitter = new JsonSplitter((value) => values.push(value))
  for (const piece of pieces) splitter.push(piece)
  return { values, splitter }
}

const container = fc
  .oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue()))
  .map((value): unknown => JSON.parse(JSON.stringify(value)))

test('a message with one object gives that object', () => {
  expect(split(['{"t":1,"angle":0.12}']).values).toEqual([{ t: 1, angle: 0.12 }])
})

test('several objects in one message, as old relays join them, are split', () => {
  expect(split(['{"a":1}{"b":{"c":"}{"}}\n{"d":[1,{}]}']).values).toEqual([
    { a: 1 },
    { b: { c: '}{' } },
    { d: [1, {}] },
  ])
})

test('objects cut anywhere are joined again', () => {
  expect(split(['{"a":', '{"b":2}', '}', '{"c', '":"\\', '""}']).values).toEqual([
    { a: { b: 2 } },
    { c: '"' },
  ])
})

test('whatever is sent, however it is cut and joined, arrives whole and in order', () => {
  const separator = fc.constantFrom('', '\n', '\r\n', ' ')
  fc.assert(
    fc.property(
      fc.array(fc.tuple(container, separator), { maxLength: 8 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      (sent, cutSeeds) => {
        const flow = sent.map(([value, after]) => JSON.stringify(value) + after).join('')
        const cuts = cutSeeds.map((seed) => seed % (flow.length + 1)).toSorted((a, b) => a - b)
        const pieces = [...cuts, flow.length].map((end, i) => flow.slice(cuts[i - 1] ?? 0, end))

        const { values, splitter } = split(pieces)

        expect(values).toEqual(sent.map(([value]) => value))
        expect(splitter.losses).toEqual({ broken: 0, strayCharacters: 0 })
      },
    ),
  )
})

test('an object that lost its end costs itself and not those after it', () => {
  const { values, splitter } = split(['{"a":1,"b', '{"c":2}', '{"d":3}\n{"e":4}'])

  // The opening brace stands inside a string here, so that the next line break tells that something is missing.
  expect(values).toContainEqual({ e: 4 })
  expect(splitter.losses.broken).toBe(1)

  expect(split(['{"a":1,', '{"c":2}']).values).toEqual([{ c: 2 }])
  expect(split(['{"a":[1,2', '}', '{"c":2}']).values).toEqual([{ c: 2 }])
})

test('one loss costs no more than two values when each is on its own line', () => {
  const line = fc.dictionary(fc.string(), fc.oneof(fc.integer(), fc.string(), fc.array(fc.integer())))
  fc.assert(
    fc.property(fc.array(line, { minLength: 4, maxLength: 8 }), fc.nat(), fc.nat(), (lines, from, length) => {
      const texts = lines.map((value) => `${JSON.stringify(value)}\n`)
      const flow = texts.join('')
      const firstLength = texts[0]?.length ?? 1
      const start = from % firstLength
      const gap = length % (firstLength - start)
      const { values } = split([flow.slice(0, start) + flow.slice(start + gap)])

      expect(values.slice(2 - lines.length)).toEqual(JSON.parse(JSON.stringify(lines.slice(2))))
    }),
  )
})

test('what is not JSON is left out and counted', () => {
  const { values, splitter } = split(['hello ', '42', '{"a":1}', '{nonsense}', '{"b":2}'])

  expect(values).toEqual([{ a: 1 }, { b: 2 }])
  expect(splitter.losses).toEqual({ broken: 1, strayCharacters: 7 })
})

test('a value that never ends does not grow for ever', () => {
  const { values, splitter } = split(['{"a":"', ...Array.from({ length: 40 }, () => 'x'.repeat(10_000))])
  expect(splitter.losses.broken).toBe(1)
  splitter.push('{"b":2}')

  expect(values).toEqual([{ b: 2 }])
})

test('after a reset a half value is forgotten', () => {
  const { values, splitter } = split(['{"a":'])
  splitter.reset()
  splitter.push('{"b":2}')

  expect(values).toEqual([{ b: 2 }])
  expect(splitter.losses.broken).toBe(1)
})

test('no text makes it throw', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), fc.stringMatching(/^[{}[\]",:\\ a1\n]{0,30}$/))), (pieces) => {
      split(pieces)
    }),
  )
})

test('a value nested without end is dropped and counted, and the next one comes through', () => {
  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
  const { values, splitter } = split([deep, `{"a":1}${deep}{"b":2}`])

  expect(values).toEqual([{ a: 1 }, { b: 2 }])
  expect(splitter.losses.broken).toBe(2)
})
