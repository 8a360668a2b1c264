import { expect, test } from 'vitest'
import type { Link } from './link.ts'
import type { Pair } from './pair.ts'
import { type Keeper, largestUnfinished, relieve, tooManyParked } from './relief.ts'

test('those that keep the most are given up until it is enough', () => {
  const kept = [3, 9, 5, 7]
  const given: number[] = []
  const keepers = (): Keeper[] =>
    kept.map((waitingBytes, index) => ({
      waitingBytes,
      giveUp: () => {
        given.push(waitingBytes)
        kept[index] = 0
      },
    }))

  relieve(keepers, () => kept.reduce((sum, bytes) => sum + bytes, 0) <= 10)

  expect(given).toEqual([9, 7])
})

test('it ends too where nobody keeps anything, or giving up is of no use', () => {
  let calls = 0
  const stubborn = { waitingBytes: 5, giveUp: () => (calls += 1) }
  relieve(
    () => [stubborn],
    () => false,
  )
  relieve(
    () => [],
    () => false,
  )

  expect(calls).toBe(1)
})

test('of messages that are not whole the largest are too much', () => {
  const links = [4, 0, 6, 5].map((bytes) => ({ unfinished: { bytes } }) as Link)

  expect(largestUnfinished(links, 15)).toEqual([])
  expect(largestUnfinished(links, 9)).toEqual([links[2]])
  expect(largestUnfinished(links, 8)).toEqual([links[2], links[3]])
})

test('of parked clients the oldest are too many, of one id and of all', () => {
  const pairs = ['a', 'b', 'a', 'a', 'b'].map((id) => ({ phase: 'parked', permission: { id } }) as Pair)
  const others = [{ phase: 'paired', permission: { id: 'a' } } as Pair]
  const all = [...others, ...pairs]

  expect(tooManyParked(all, { maxPerId: 3, max: 5 })).toEqual([])
  expect(tooManyParked(all, { maxPerId: 2, max: 5 })).toEqual([pairs[0]])
  expect(tooManyParked(all, { maxPerId: 2, max: 3 })).toEqual([pairs[1], pairs[0]])
})
