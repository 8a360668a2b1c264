import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { CodedPicture } from './picture-assembler.ts'
import { PictureQueue } from './picture-queue.ts'

function picture(isKey: boolean, bytes = 100): CodedPicture {
  return { parts: [], bytes, isKey }
}

function taken(queue: PictureQueue): CodedPicture[] {
  const pictures: CodedPicture[] = []
  for (let next = queue.take(); next !== undefined; next = queue.take()) pictures.push(next)
  return pictures
}

const options = { maxWaiting: 4, maxBytes: 10_000 }

test('pictures are taken in the order in which they came', () => {
  const sent = [picture(true), picture(false), picture(false)]
  const queue = new PictureQueue(options)
  for (const one of sent) queue.push(one)

  expect(taken(queue)).toEqual(sent)
})

test('nothing is shown before the first key picture', () => {
  const queue = new PictureQueue(options)
  queue.push(picture(false))

  expect(taken(queue)).toEqual([])
  expect(queue.skipped).toBe(0)
})

test('a backlog is skipped down to the newest key picture', () => {
  const newestKey = picture(true)
  const queue = new PictureQueue(options)
  for (const one of [picture(true), picture(false), picture(false), newestKey, picture(false)])
    queue.push(one)

  expect(queue.take()).toBe(newestKey)
  expect(queue.length).toBe(1)
  expect(queue.skipped).toBe(3)
})

test('where the newest key picture is too old itself, it waits for the next one', () => {
  const queue = new PictureQueue(options)
  queue.push(picture(true))
  for (let i = 0; i < 6; i += 1) queue.push(picture(false))
  expect(queue.length).toBe(0)

  queue.push(picture(true))
  expect(queue.length).toBe(1)
})

test('a hidden page keeps only what the newest picture needs', () => {
  const queue = new PictureQueue(options)
  for (const isKey of [true, false, true, false]) queue.push(picture(isKey))
  queue.trim()

  expect(taken(queue).map(({ isKey }) => isKey)).toEqual([true, false])
})

test('a new link begins with a key picture', () => {
  const queue = new PictureQueue(options)
  queue.push(picture(true))
  queue.reset()
  queue.push(picture(false))

  expect(queue.length).toBe(0)
})

test('whatever comes and is taken, limits hold and what is taken can be decoded', () => {
  const step = fc.oneof(
    fc.record({ isKey: fc.boolean(), bytes: fc.integer({ min: 1, max: 4000 }) }),
    fc.constantFrom('take' as const, 'trim' as const),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const queue = new PictureQueue(options)
      const pushed: CodedPicture[] = []
      const lengths: number[] = []
      const takenOrders: number[] = []
      for (const one of steps) {
        if (one === 'trim') queue.trim()
        else if (one === 'take') takenOrders.push(pushed.indexOf(queue.take() ?? picture(true)))
        else {
          pushed.push(picture(one.isKey, one.bytes))
          queue.push(pushed.at(-1) ?? picture(true))
        }
        lengths.push(queue.length)
      }
      const orders = takenOrders.filter((order) => order >= 0)

      expect(lengths.every((length) => length <= options.maxWaiting)).toBe(true)
      expect(orders.every((order, i) => pushed[order]?.isKey === true || orders[i - 1] === order - 1)).toBe(
        true,
      )
    }),
  )
})
