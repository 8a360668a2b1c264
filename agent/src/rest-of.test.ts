import { expect, test } from 'vitest'
import { restOf } from './rest-of.ts'

const data = Buffer.from('abc')

test('what is left shares the memory of the chunk', () => {
  expect(restOf(data, 1).toString()).toBe('bc')
  expect(restOf(data, 1).buffer).toBe(data.buffer)
})

test.each([3, 4])('where nothing is left from %i on, it holds nothing of the chunk', (start) => {
  const chunk = Buffer.from(new Uint8Array([1, 2, 3]).buffer)

  expect(restOf(chunk, start)).toHaveLength(0)
  expect(restOf(chunk, start).buffer).not.toBe(chunk.buffer)
})
