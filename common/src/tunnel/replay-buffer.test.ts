import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ReplayBuffer } from './replay-buffer.ts'

function read(buffer: ReplayBuffer, from: number, maxBytes: number): Buffer {
  const parts: Buffer[] = []
  for (let at = from; at < buffer.end; ) {
    const part = buffer.slice(at, maxBytes)
    expect(part.length).toBeGreaterThan(0)
    expect(part.length).toBeLessThanOrEqual(maxBytes)
    parts.push(part)
    at += part.length
  }
  return Buffer.concat(parts)
}

test('whatever was put in and dropped, what is kept reads as it was written, from any offset', () => {
  const step = fc.oneof(
    fc.record({ push: fc.oneof(fc.nat(50), fc.integer({ min: 900, max: 1_200 }), fc.nat(9_000)) }),
    fc.record({ drop: fc.double({ min: 0, max: 1, noNaN: true }) }),
  )
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 120 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 1, max: 5_000 }),
      (steps, where, maxBytes) => {
        const buffer = new ReplayBuffer()
        let all = Buffer.alloc(0)
        for (const one of steps) {
          if ('push' in one) {
            const data = Buffer.from(Uint8Array.from({ length: one.push }, (_, i) => (all.length + i) % 251))
            buffer.push(data)
            all = Buffer.concat([all, data])
          } else {
            buffer.dropTo(Math.floor(buffer.start + one.drop * buffer.bytes))
          }
        }

        const from = Math.floor(buffer.start + where * buffer.bytes)
        expect(buffer.end).toBe(all.length)
        expect(read(buffer, from, maxBytes).equals(all.subarray(from))).toBe(true)
      },
    ),
    { numRuns: 60, seed: 7 },
  )
})

test('a large chunk is given back itself, not a copy', () => {
  const buffer = new ReplayBuffer()
  const chunk = Buffer.alloc(65_536, 1)
  buffer.push(chunk)

  expect(buffer.slice(0, 65_536)).toBe(chunk)
})

test('what came a byte at a time lies in few pieces', () => {
  const buffer = new ReplayBuffer()
  for (let i = 0; i < 10_000; i++) buffer.push(Buffer.from([i % 256]))

  expect(buffer.slice(0, 65_536).length).toBe(10_000)
})

test('an offset that is not kept is a fault', () => {
  const buffer = new ReplayBuffer()
  buffer.push(Buffer.alloc(10))
  buffer.dropTo(5)

  expect(() => buffer.slice(4, 10)).toThrow(RangeError)
  expect(() => buffer.slice(11, 10)).toThrow(RangeError)
  expect(buffer.slice(10, 10).length).toBe(0)
})
