import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Outbox } from './outbox.ts'

function text(data: string): { readonly data: Buffer; readonly binary: boolean } {
  return { data: Buffer.from(data), binary: false }
}

test('gives out what went in, in order', () => {
  const outbox = new Outbox({ maxBytes: 10_000, maxAgeMs: 1_000 })
  for (const word of ['a', 'b', 'c']) outbox.add(text(word), 0)

  expect(
    [outbox.take(1), outbox.take(1), outbox.take(1), outbox.take(1)].map((m) => m?.data.toString()),
  ).toEqual(['a', 'b', 'c', undefined])
})

test('at the limit the oldest gives way, and is counted', () => {
  const outbox = new Outbox({ maxBytes: 2 * 65, maxAgeMs: 1_000 })
  for (const word of ['a', 'b', 'c']) outbox.add(text(word), 0)

  expect(outbox.take(0)?.data.toString()).toBe('b')
  expect(outbox.dropped).toBe(1)
  expect(outbox.droppedBytes).toBe(1)
})

test('what is older than the age is never given out', () => {
  const outbox = new Outbox({ maxBytes: 10_000, maxAgeMs: 1_000 })
  outbox.add(text('old'), 0)
  outbox.add(text('new'), 600)

  expect(outbox.take(1_001)?.data.toString()).toBe('new')
  expect(outbox.dropped).toBe(1)
})

test('a message larger than the whole is dropped and drives out nothing', () => {
  const outbox = new Outbox({ maxBytes: 200, maxAgeMs: 1_000 })
  outbox.add(text('small'), 0)
  outbox.add(text('x'.repeat(500)), 0)

  expect(outbox.take(0)?.data.toString()).toBe('small')
  expect(outbox.dropped).toBe(1)
})

test('whatever happens, the bytes stay within the limit and nothing gets lost uncounted', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), length: fc.nat({ max: 300 }) }),
    fc.record({ kind: fc.constant('take' as const) }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.nat({ max: 800 }) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const outbox = new Outbox({ maxBytes: 1_000, maxAgeMs: 1_000 })
      let nowMs = 0
      let added = 0
      let taken = 0
      for (const next of steps) {
        if (next.kind === 'wait') nowMs += next.ms
        else if (next.kind === 'take') taken += outbox.take(nowMs) === undefined ? 0 : 1
        else {
          outbox.add(text('x'.repeat(next.length)), nowMs)
          added += 1
        }
        expect(outbox.bytes).toBeLessThanOrEqual(1_000)
        expect(added).toBe(taken + outbox.dropped + outbox.size)
      }
    }),
  )
})
