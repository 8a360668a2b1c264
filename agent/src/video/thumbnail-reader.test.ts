import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ThumbnailReader } from './thumbnail-reader.ts'

const size = { width: 2, height: 3 }
const thumbnail = (level: number): Buffer => Buffer.alloc(6, level)

test('thumbnails come out whole, however the stream was cut', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 13 }), { maxLength: 40 }), (lengths) => {
      const stream = Buffer.concat(Array.from({ length: 100 }, (_, index) => thumbnail(index)))
      const reader = new ThumbnailReader(size)
      let offset = 0
      for (const length of lengths) {
        const newest = reader.push(stream.subarray(offset, offset + length))
        const before = Math.floor(offset / 6)
        offset += length
        const now = Math.floor(offset / 6)
        expect(newest).toEqual(now > before ? thumbnail(now - 1) : undefined)
      }
    }),
  )
})

test('what an encoder left unfinished does not shift the pictures of the next one', () => {
  const reader = new ThumbnailReader(size)
  reader.push(Buffer.alloc(4, 9))
  reader.clear()

  expect(reader.push(thumbnail(7))).toEqual(thumbnail(7))
})
