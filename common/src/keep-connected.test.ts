import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AppError, ConfigError } from './errors.ts'
import { FakeClock } from './fake-clock.ts'
import {
  keepConnected,
  nextDelayMs,
  type Retry,
  RetryLaterError,
  type RetryPolicy,
  retryDelayMs,
} from './keep-connected.ts'

const policy: RetryPolicy = { minMs: 1000, maxMs: 10_000, stableAfterMs: 5000 }
/** What `RetryPolicy` recommends for an uplink. */
const uplinkPolicy: RetryPolicy = { ...policy, stableFrom: 'established' }
const least = (): number => 0
const most = (): number => 0.999_999

describe('the delay before an attempt', () => {
  test.each([
    [0, 1000, 2000],
    [1, 1000, 4000],
    [2, 1000, 8000],
    [3, 1000, 10_000],
    [50, 1000, 10_000],
    [5000, 1000, 10_000],
  ])('number %i is between %i and %i ms', (attempt, shortestMs, longestMs) => {
    expect(retryDelayMs(attempt, policy, least)).toBe(shortestMs)
    expect(retryDelayMs(attempt, policy, most)).toBe(longestMs)
  })

  test('is spread over the whole range, never below the least nor above the most', () => {
    const minMs = fc.integer({ min: 1, max: 60_000 })
    fc.assert(
      fc.property(
        minMs,
        minMs,
        fc.nat(2000),
        fc.double({ min: 0, max: 0.999_999_9, noNaN: true }),
        (a, b, attempt, random) => {
          const bounds = { minMs: Math.min(a, b), maxMs: Math.max(a, b), stableAfterMs: 1 }
          const ceilingMs = Math.min(bounds.maxMs, bounds.minMs * 2 ** (attempt + 1))
          const delayMs = retryDelayMs(attempt, bounds, () => random)
          expect(delayMs).toBeGreaterThanOrEqual(bounds.minMs)
          expect(delayMs).toBeLessThanOrEqual(ceilingMs)
          expect(
            Math.abs(delayMs - (bounds.minMs + random * (ceilingMs - bounds.minMs))),
          ).toBeLessThanOrEqual(0.5)
        },
      ),
    )
  })

  test.each([
    ['a pause of 30 s', 30_000, 30_000, 31_000],
    ['a pause shorter than our own', 10, 1000, 2000],
    ['a pause of a year: ten minutes', 31_536_000_000, 600_000, 601_000],
    ['a pause without end: ten minutes', Infinity, 600_000, 601_000],
    ['a pause in the past', -5000, 1000, 2000],
    ['no number', NaN, 1000, 2000],
  ])('follows the hint of a server, with jitter of its own: %s', (_name, hintMs, shortestMs, longestMs) => {
    const error = new RetryLaterError('busy', hintMs)

    expect(nextDelayMs(0, error, policy, least)).toBe(shortestMs)
    expect(nextDelayMs(0, error, policy, most)).toBe(longestMs)
  })
})

interface Loop {
  readonly clock: FakeClock
  readonly controller: AbortController
  readonly retries: Retry[]
  readonly startsMs: number[]
  readonly done: Promise<void>
}

type ConnectOnce = Parameters<typeof keepConnected>[0]

function start(
  connectOnce: (clock: FakeClock, ...args: Parameters<ConnectOnce>) => Promise<void>,
  { random = least, policy: chosen = policy }: { random?: () => number; policy?: RetryPolicy } = {},
): Loop {
  const clock = new FakeClock()
  const controller = new AbortController()
  const retries: Retry[] = []
  const startsMs: number[] = []
  const done = keepConnected(
    (signal, established) => {
      startsMs.push(clock.monotonicMs())
      return connectOnce(clock, signal, established)
    },
    chosen,
    { clock, random, onRetry: (retry) => retries.push(retry) },
    controller.signal,
  )
  return { clock, controller, retries, startsMs, done }
}

async function stop({ controller, clock, done }: Loop): Promise<void> {
  controller.abort()
  await done
  expect(clock.pending).toBe(0)
}

describe('keeping a link', () => {
  test('tries for ever, and tells each wait with its reason', async () => {
    const refused = new AppError('REFUSED', 'refused')
    const loop = start(() => Promise.reject(refused), { random: most })

    await loop.clock.advance(34_000)
    expect(loop.startsMs).toEqual([0, 2000, 6000, 14_000, 24_000, 34_000])
    expect(loop.retries[1]).toEqual({ attempt: 1, delayMs: 4000, error: refused })
    await stop(loop)
  })

  test('a throw that is no promise is a failure as any other', async () => {
    const loop = start(() => {
      throw new TypeError('at once')
    })

    await loop.clock.advance(1000)
    expect(loop.startsMs).toEqual([0, 1000])
    await stop(loop)
  })

  test('a link that ended in order has no error', async () => {
    const loop = start(() => Promise.resolve())

    await loop.clock.advance(0)
    expect(loop.retries).toEqual([{ attempt: 0, delayMs: 1000, error: undefined }])
    await stop(loop)
  })

  test.each([
    ['that closes at once never counts as healthy', 0, [0, 1, 2]],
    ['that lived too short does not either', 4999, [0, 1, 2]],
    ['that lived long enough starts from the beginning', 5000, [0, 0, 0]],
  ])('a link %s', async (_name, livesMs, attempts) => {
    const loop = start((clock, signal) => clock.sleep(livesMs, signal), { random: most })

    await loop.clock.advance(3 * livesMs + 6000)
    expect(loop.retries.map(({ attempt }) => attempt).slice(0, 3)).toEqual(attempts)
    await stop(loop)
  })

  test('a healthy link after many failures brings the short waits back', async () => {
    let calls = 0
    const loop = start(
      async (clock, signal) => {
        calls += 1
        if (calls === 4) await clock.sleep(60_000, signal)
        throw new Error('down')
      },
      { random: most },
    )

    await loop.clock.advance(2000 + 4000 + 8000 + 60_000 + 2000)
    expect(loop.retries.map(({ attempt }) => attempt)).toEqual([0, 1, 2, 0, 1])
    await stop(loop)
  })

  test.each<readonly [string, RetryPolicy, readonly number[]]>([
    ['from its start, a dial that hangs is a life', policy, [0, 0, 0]],
    ['from when it is established, it is none', uplinkPolicy, [0, 1, 2]],
  ])('counted %s', async (_name, chosen, attempts) => {
    const loop = start(
      async (clock, signal) => {
        await clock.sleep(55_000, signal)
        throw new Error('the dial timed out')
      },
      { policy: chosen },
    )

    await loop.clock.advance(3 * 56_000)
    expect(loop.retries.map(({ attempt }) => attempt).slice(0, 3)).toEqual(attempts)
    await stop(loop)
  })

  test.each([
    [4999, [0, 1]],
    [5000, [0, 0]],
  ])('a link that broke %i ms after it was established', async (livesMs, attempts) => {
    const loop = start(
      async (clock, signal, established) => {
        await clock.sleep(20_000, signal)
        established()
        await clock.sleep(livesMs, signal)
        established()
        throw new Error('reset')
      },
      { policy: uplinkPolicy },
    )

    await loop.clock.advance(2 * (20_000 + livesMs + 1000))
    expect(loop.retries.map(({ attempt }) => attempt).slice(0, 2)).toEqual(attempts)
    await stop(loop)
  })

  test('a clock that is set while the link lives or while it waits changes nothing', async () => {
    const loop = start(async (clock, signal) => {
      clock.jump(1e10)
      await clock.sleep(100, signal)
      throw new Error('short')
    })

    await loop.clock.advance(100)
    loop.clock.jump(-2e10)
    await loop.clock.advance(1000)
    expect(loop.startsMs).toEqual([0, 1100])
    expect(loop.retries.map(({ attempt }) => attempt)).toEqual([0])
    await stop(loop)
  })

  test('a pause that the server asked for is kept', async () => {
    const loop = start(() => Promise.reject(new RetryLaterError('busy', 30_000)))

    await loop.clock.advance(29_999)
    expect(loop.startsMs).toEqual([0])
    await loop.clock.advance(1)
    expect(loop.startsMs).toEqual([0, 30_000])
    await stop(loop)
  })

  test('an error that retrying cannot cure comes out at once', async () => {
    const error = new ConfigError('BAD', 'no use')
    const loop = start(() => Promise.reject(error))

    await expect(loop.done).rejects.toBe(error)
    expect(loop.retries).toEqual([])
    expect(loop.clock.pending).toBe(0)
  })
})

describe('stopping', () => {
  test('before the start connects nothing', async () => {
    let calls = 0
    await keepConnected(
      () => {
        calls += 1
        return Promise.resolve()
      },
      policy,
      { clock: new FakeClock(), random: least, onRetry: () => undefined },
      AbortSignal.abort(),
    )
    expect(calls).toBe(0)
  })

  test('while it connects ends as soon as the attempt has cleaned up, without another', async () => {
    let isClean = false
    const loop = start(async (clock, signal) => {
      await clock.sleep(60_000, signal)
      await Promise.resolve()
      isClean = true
      throw new Error('aborted')
    })

    await loop.clock.advance(10)
    await stop(loop)
    expect(isClean).toBe(true)
    expect(loop.retries).toEqual([])
    expect(loop.startsMs).toEqual([0])
  })

  test('while it waits ends at once', async () => {
    const loop = start(() => Promise.reject(new Error('down')))

    await loop.clock.advance(500)
    await stop(loop)
    expect(loop.clock.monotonicMs()).toBe(500)
    expect(loop.startsMs).toEqual([0])
  })

  test('hides an error of the last attempt, permanent or not', async () => {
    const loop = start(async (clock, signal) => {
      await clock.sleep(60_000, signal)
      throw new ConfigError('BAD', 'no use')
    })

    await loop.clock.advance(10)
    loop.controller.abort()
    await expect(loop.done).resolves.toBeUndefined()
  })
})

/** `wanted` of the recorded cases "host uplink: …" (spec session 7.6), whatever the jitter is. */
describe('with the policy for uplinks', () => {
  const jitters = [least, () => 0.5, most]

  test.each(jitters)('there are 2 to 5 attempts in 4.4 s where each fails (%#)', async (random) => {
    const loop = start(() => Promise.reject(new Error('500')), { random, policy: uplinkPolicy })

    await loop.clock.advance(4400)
    expect(loop.startsMs.length).toBeGreaterThanOrEqual(2)
    expect(loop.startsMs.length).toBeLessThanOrEqual(5)
    await stop(loop)
  })

  test.each(jitters)('a first loss is mended within 4 s, a second within 5 s (%#)', async (random) => {
    const loop = start(
      (_clock, _signal, established) => {
        established()
        return Promise.resolve()
      },
      { random, policy: uplinkPolicy },
    )

    await loop.clock.advance(9000)
    const [first = NaN, second = NaN, third = NaN] = loop.startsMs
    expect(second - first).toBeLessThan(4000)
    expect(third - second).toBeLessThan(5000)
    await stop(loop)
  })

  test.each(jitters)(
    'a relay that accepts and closes sees at most 8 attempts in 2.5 s (%#)',
    async (random) => {
      const loop = start(
        (clock, signal, established) => {
          established()
          return clock.sleep(20, signal)
        },
        { random, policy: uplinkPolicy },
      )

      await loop.clock.advance(2500)
      expect(loop.startsMs.length).toBeLessThanOrEqual(8)
      await stop(loop)
    },
  )
})
