import { FakeClock } from '../../fake-clock.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RateLimiter } from './rate-limiter.ts'

describe('a rate limiter', () => {
  test('lets a burst of the whole limit in, and no more', () => {
    const limiter = new RateLimiter({ max: 3, perMs: 1000 }, 10, new FakeClock())

    expect([1, 2, 3, 4].map(() => limiter.take('a').ok)).toEqual([true, true, true, false])
    expect(limiter.take('b').ok).toBe(true)
  })

  test('says when the next one may come, and keeps its word', async () => {
    const clock = new FakeClock()
    const limiter = new RateLimiter({ max: 2, perMs: 1000 }, 10, clock)
    limiter.take('a')
    limiter.take('a')

    const verdict = limiter.take('a')

    expect(verdict).toEqual({ ok: false, retryAfterMs: 500 })
    await clock.advance(500)
    expect(limiter.take('a').ok).toBe(true)
  })

  test('forgets the longest unused key when it knows too many', () => {
    const limiter = new RateLimiter({ max: 1, perMs: 1000 }, 2, new FakeClock())
    for (const key of ['a', 'b', 'a', 'c']) limiter.take(key)

    expect(limiter.size).toBe(2)
    expect(limiter.take('a').ok).toBe(false)
  })

  test('never lets more in than the limit and what came back since', () => {
    const gapsMs = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 100 })
    fc.assert(
      fc.property(gapsMs, (gaps) => {
        let nowMs = 0
        const limiter = new RateLimiter({ max: 5, perMs: 1000 }, 10, { monotonicMs: () => nowMs })
        let granted = 0
        for (const gapMs of gaps) {
          nowMs += gapMs
          if (limiter.take('a').ok) granted += 1
        }
        return granted <= 5 + (nowMs * 5) / 1000
      }),
    )
  })
})
