import { FakeClock } from '../fake-clock.ts'
import { describe, expect, test } from 'vitest'
import { ExpiryWheel } from './expiry-wheel.ts'

const startSec = 1_700_000_000

function setUp() {
  const clock = new FakeClock(startSec * 1000)
  const expired: string[] = []
  const wheel = new ExpiryWheel<string>(clock, (item) => expired.push(item))
  return { clock, expired, wheel }
}

describe('an expiry wheel', () => {
  test('ends things at their second, not before', async () => {
    const { clock, expired, wheel } = setUp()
    wheel.add('a', startSec + 3)
    await clock.advance(2990)
    expect(expired).toEqual([])

    await clock.advance(20)

    expect(expired).toEqual(['a'])
  })

  test('has one timer for all of them, and none when nothing is left', async () => {
    const { clock, wheel } = setUp()
    for (let index = 0; index < 100; index++) wheel.add(`item ${index}`, startSec + 10 + index)
    expect(clock.pending).toBe(1)

    await clock.advance(200_000)

    expect(clock.pending).toBe(0)
  })

  test('an end that is years away stays where it is', async () => {
    const { clock, expired, wheel } = setUp()
    wheel.add('in a year', startSec + 365 * 86_400)
    wheel.add('never', Number.MAX_SAFE_INTEGER)

    await clock.advance(60_000)

    expect(expired).toEqual([])
  })

  test('what was taken off does not end', async () => {
    const { clock, expired, wheel } = setUp()
    wheel.add('a', startSec + 1)
    wheel.delete('a', startSec + 1)

    await clock.advance(5000)

    expect(expired).toEqual([])
    expect(clock.pending).toBe(0)
  })

  test('an end in the past comes within a second', async () => {
    const { clock, expired, wheel } = setUp()
    wheel.add('a', startSec - 5)

    await clock.advance(1001)

    expect(expired).toEqual(['a'])
  })

  test('somebody who sets the wall clock on ends things early, within a second', async () => {
    const { clock, expired, wheel } = setUp()
    wheel.add('a', startSec + 3600)
    clock.jump(3_600_000)

    await clock.advance(1001)

    expect(expired).toEqual(['a'])
  })
})
