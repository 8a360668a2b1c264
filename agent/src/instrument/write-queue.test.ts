import { expect, test } from 'vitest'
import { WriteQueue } from './write-queue.ts'

test('gives out what was taken, in order, and refuses the newest when it is full', () => {
  const queue = new WriteQueue({ maxBytes: 2 * 33 })

  expect(['a', 'b', 'c'].map((text) => queue.add(Buffer.from(text)))).toEqual([true, true, false])
  expect([queue.take(), queue.take(), queue.take()].map((data) => data?.toString())).toEqual([
    'a',
    'b',
    undefined,
  ])
  expect(queue.bytes).toBe(0)
})

test('clearing says how many there were and makes room', () => {
  const queue = new WriteQueue({ maxBytes: 33 })
  queue.add(Buffer.from('a'))

  expect(queue.clear()).toBe(1)
  expect(queue.add(Buffer.from('b'))).toBe(true)
})
