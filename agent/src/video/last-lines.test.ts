import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LastLines } from './last-lines.ts'

test('keeps the last lines, an unfinished one among them, without control characters', () => {
  const lines = new LastLines({ maxLines: 2, maxLineLength: 100 })

  lines.push(Buffer.from('one\ntwo\r\n\nth'))
  lines.push(Buffer.from('ree\u001b[31m\nfo'))
  lines.push(Buffer.from('ur'))

  expect(lines.lines).toEqual(['two', 'three [31m', 'four'])
})

test('the password of a network camera is not kept', () => {
  const lines = new LastLines({ maxLines: 2, maxLineLength: 200 })

  lines.push(Buffer.from('rtsp://user:secret@cam.example/1?pwd=secret: Connection refused\n'))

  expect(lines.lines).toEqual(['rtsp://(removed)@cam.example/1?(removed): Connection refused'])
})

test('whatever comes, what is kept is bounded', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 200 }), { maxLength: 30 }), (texts) => {
      const lines = new LastLines({ maxLines: 3, maxLineLength: 20 })
      for (const text of texts) lines.push(Buffer.from(text))
      expect(lines.lines.length).toBeLessThanOrEqual(4)
      expect(lines.lines.every((line) => line.length <= 20)).toBe(true)
    }),
  )
})

test('is empty after clearing', () => {
  const lines = new LastLines({ maxLines: 3, maxLineLength: 20 })
  lines.push(Buffer.from('a\nb'))

  lines.clear()

  expect(lines.lines).toEqual([])
})
