import { FakeClock } from '../fake-clock.ts'
import { describe, expect, test } from 'vitest'
import { BookingLists } from './booking-lists.ts'

const nowSec = 1_700_000_000

function setUp(maxEntries = 10) {
  const clock = new FakeClock(nowSec * 1000)
  return { clock, lists: new BookingLists({ maxEntries }, clock) }
}

describe('booking lists', () => {
  test('a denial takes a booking off the allow list, an allowance off the deny list', () => {
    const { lists } = setUp()
    lists.seen('a', nowSec + 60)
    lists.deny('a', nowSec + 60)
    expect([lists.allowed, lists.denied]).toEqual([[], ['a']])

    lists.allow('a', nowSec + 60)

    expect([lists.allowed, lists.denied]).toEqual([['a'], []])
  })

  test('using a booking never undoes its denial', () => {
    const { lists } = setUp()
    lists.deny('a', nowSec + 60)

    lists.seen('a', nowSec + 60)

    expect(lists.isDenied('a')).toBe(true)
    expect(lists.allowed).toEqual([])
  })

  test('no booking id is no entry', () => {
    const { lists } = setUp()

    lists.seen('', nowSec + 60)

    expect(lists.allowed).toEqual([])
    expect(lists.isDenied('')).toBe(false)
  })

  test('entries leave when they are over, not in their last second', async () => {
    const { clock, lists } = setUp()
    lists.deny('a', nowSec + 5)
    lists.seen('b', nowSec + 5)
    await clock.advance(5000)
    lists.tidy()
    expect(lists.isDenied('a')).toBe(true)

    await clock.advance(1000)
    lists.tidy()

    expect([lists.denied, lists.allowed]).toEqual([[], []])
  })

  test('a full deny list refuses more, and never drops one', () => {
    const { lists } = setUp(2)
    expect([lists.deny('a', nowSec + 9), lists.deny('b', nowSec + 9)]).toEqual([true, true])

    expect(lists.deny('c', nowSec + 9)).toBe(false)
    expect(lists.deny('a', nowSec + 10)).toBe(true)
    expect(lists.denied).toEqual(['a', 'b'])
  })

  test('a full deny list makes room of what is over', async () => {
    const { clock, lists } = setUp(1)
    lists.deny('a', nowSec + 1)
    await clock.advance(2000)

    expect(lists.deny('b', nowSec + 9)).toBe(true)
    expect(lists.denied).toEqual(['b'])
  })

  test('the allow list stays bounded: the oldest gives way', () => {
    const { lists } = setUp(2)
    for (const bookingId of ['a', 'b', 'c']) lists.seen(bookingId, nowSec + 9)

    expect(lists.allowed).toEqual(['b', 'c'])
  })
})
