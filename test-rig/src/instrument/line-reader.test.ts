import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Line, LineReader } from './line-reader.ts'

function readAll(chunks: readonly Uint8Array[], maxLineBytes: number): readonly Line[] {
  const reader = new LineReader({ maxLineBytes })
  return chunks.flatMap((chunk) => reader.push(chunk))
}

test('both kinds of line end are taken off', () => {
  expect(readAll([Buffer.from('one\r\ntwo\n\nrest')], 100)).toEqual([
    { kind: 'line', text: 'one' },
    { kind: 'line', text: 'two' },
    { kind: 'line', text: '' },
  ])
})

test('a line that is too long is reported once and the next one is read', () => {
  expect(readAll([Buffer.from('12345'), Buffer.from('6\nok\n')], 5)).toEqual([
    { kind: 'too-long' },
    { kind: 'line', text: 'ok' },
  ])
})

test('a line of exactly the limit is kept', () => {
  expect(readAll([Buffer.from('12345\n')], 5)).toEqual([{ kind: 'line', text: '12345' }])
})

test('an unfinished line is forgotten by a reset', () => {
  const reader = new LineReader({ maxLineBytes: 10 })
  reader.push(Buffer.from('half'))
  reader.reset()

  expect(reader.push(Buffer.from('whole\n'))).toEqual([{ kind: 'line', text: 'whole' }])
})

test('the lines do not depend on how the bytes were cut', () => {
  const byte = fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 0, max: 255 }) }, fc.constant(0x0a))
  fc.assert(
    fc.property(
      fc.array(byte, { maxLength: 200 }),
      fc.array(fc.nat(200), { maxLength: 8 }),
      (bytes, cuts) => {
        const whole = Uint8Array.from(bytes)
        const at = [0, ...cuts.map((cut) => Math.min(cut, whole.length)).sort((a, b) => a - b), whole.length]
        const pieces = at.slice(1).map((to, i) => whole.subarray(at[i], to))
        expect(readAll(pieces, 16)).toEqual(readAll([whole], 16))
      },
    ),
  )
})
