import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SampleHistory } from './sample-history.ts'

test('rows come back in order, contiguous, also after the ring has turned', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.nat({ max: 40 }), (capacity, count) => {
      const history = new SampleHistory({ capacity, maxFields: 2 })
      for (let i = 0; i < count; i += 1) {
        history.beginRow(i)
        history.set('a', i * 10)
      }
      const kept = Array.from(
        { length: Math.min(capacity, count) },
        (_, i) => count - Math.min(capacity, count) + i,
      )

      const range = history.rangeSince(Number.NEGATIVE_INFINITY)

      expect([...history.times(range)]).toEqual(kept)
      expect([...history.values(0, range)]).toEqual(kept.map((i) => i * 10))
      expect(history.length).toBe(kept.length)
    }),
  )
})

test('a window holds the rows from its time on and no others', () => {
  fc.assert(
    fc.property(fc.nat({ max: 30 }), fc.integer({ min: -5, max: 35 }), (count, since) => {
      const history = new SampleHistory({ capacity: 10, maxFields: 1 })
      for (let i = 0; i < count; i += 1) history.beginRow(i)
      const expected = Array.from({ length: count }, (_, i) => i).filter((i) => i >= count - 10 && i >= since)

      expect([...history.times(history.rangeSince(since))]).toEqual(expected)
    }),
  )
})

test('times ascend strictly, whatever the clock of the instrument does', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 })), (times) => {
      const history = new SampleHistory({ capacity: 100, maxFields: 1 })
      for (const time of times) history.beginRow(time)
      const kept = history.times(history.rangeSince(Number.NEGATIVE_INFINITY))

      expect(kept.every((time, i) => i === 0 || time > (kept[i - 1] ?? 0))).toBe(true)
    }),
  )
})

test('a field keeps its value where a row does not mention it, and has none before its first', () => {
  const history = new SampleHistory({ capacity: 8, maxFields: 3 })
  history.beginRow(0)
  history.set('a', 1)
  history.beginRow(1)
  history.set('b', 5)
  history.beginRow(2)

  const range = history.rangeSince(0)

  expect(history.fields).toEqual(['a', 'b'])
  expect([...history.values(0, range)]).toEqual([1, 1, 1])
  expect([...history.values(1, range)]).toEqual([Number.NaN, 5, 5])
  expect(history.newest('b')).toBe(5)
  expect(history.newest('c')).toBeUndefined()
})

test('there is a limit to the number of fields', () => {
  const history = new SampleHistory({ capacity: 4, maxFields: 2 })
  history.beginRow(0)

  expect(['a', 'b', 'c', 'a'].map((name) => history.set(name, 1))).toEqual([true, true, false, true])
  expect(history.fields).toEqual(['a', 'b'])
})

test('an empty history has nothing and says so', () => {
  const history = new SampleHistory({ capacity: 4, maxFields: 2 })

  expect(history.newestS).toBeUndefined()
  expect([...history.times(history.rangeSince(0))]).toEqual([])
})
