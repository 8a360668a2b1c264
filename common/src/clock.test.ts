import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { aborted, systemClock } from './clock.ts'

const dayMs = 86_400_000

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

describe('the clock of the machine', () => {
  test.each([1, 999.5, 30 * dayMs, 400 * dayMs])('fires once after %i ms, and not before', (delayMs) => {
    const fired = vi.fn<() => void>()
    systemClock.after(delayMs, fired)

    vi.advanceTimersByTime(Math.ceil(delayMs) - 1)
    expect(fired).not.toHaveBeenCalled()
    vi.advanceTimersByTime(2)
    expect(fired).toHaveBeenCalledTimes(1)
    vi.advanceTimersByTime(dayMs)
    expect(fired).toHaveBeenCalledTimes(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('a timer that comes early waits once more', () => {
    const fired = vi.fn<() => void>()
    const realNow = performance.now.bind(performance)
    let lagMs = 0
    vi.spyOn(performance, 'now').mockImplementation(() => realNow() - lagMs)
    systemClock.after(1000, fired)

    lagMs = 0.4
    vi.advanceTimersByTime(1000)
    expect(fired).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(fired).toHaveBeenCalledTimes(1)
  })

  test('never fires when the delay is infinite', () => {
    const fired = vi.fn<() => void>()
    const cancel = systemClock.after(Infinity, fired)

    vi.advanceTimersByTime(1000 * dayMs)
    expect(fired).not.toHaveBeenCalled()
    cancel()
    expect(vi.getTimerCount()).toBe(0)
  })

  test.each([0, -5, NaN])('a delay of %d is none', (delayMs) => {
    const fired = vi.fn<() => void>()
    systemClock.after(delayMs, fired)

    expect(fired).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(fired).toHaveBeenCalledTimes(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  test.each([10, 60 * dayMs])(
    'a cancelled alarm of %d ms never fires, also when it is cancelled twice',
    (delayMs) => {
      const fired = vi.fn<() => void>()
      const cancel = systemClock.after(delayMs, fired)

      vi.advanceTimersByTime(delayMs - 5)
      cancel()
      cancel()
      vi.advanceTimersByTime(dayMs)
      expect(fired).not.toHaveBeenCalled()
      expect(vi.getTimerCount()).toBe(0)
    },
  )

  test('a clock that is set does not move an alarm', () => {
    const fired = vi.fn<() => void>()
    systemClock.after(1000, fired)

    vi.setSystemTime(systemClock.nowMs() + 10 * dayMs)
    vi.advanceTimersByTime(900)
    expect(fired).not.toHaveBeenCalled()
    vi.setSystemTime(systemClock.nowMs() - 20 * dayMs)
    vi.advanceTimersByTime(100)
    expect(fired).toHaveBeenCalledTimes(1)
  })
})

describe('sleeping', () => {
  const settled = async (promise: Promise<void>): Promise<boolean> => {
    let isSettled = false
    void promise.then(() => (isSettled = true))
    await vi.advanceTimersByTimeAsync(0)
    return isSettled
  }

  test('ends after its time', async () => {
    const sleep = systemClock.sleep(40 * dayMs)

    await vi.advanceTimersByTimeAsync(40 * dayMs - 1)
    expect(await settled(sleep)).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(await settled(sleep)).toBe(true)
  })

  test('ends at once when it is aborted, and leaves neither timer nor listener', async () => {
    const controller = new AbortController()
    const remove = vi.spyOn(controller.signal, 'removeEventListener')
    const sleep = systemClock.sleep(dayMs, controller.signal)

    controller.abort()
    expect(await settled(sleep)).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
    expect(remove).toHaveBeenCalled()
  })

  test('does not begin when the signal has aborted already', async () => {
    const sleep = systemClock.sleep(dayMs, AbortSignal.abort())

    expect(await settled(sleep)).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('a signal that sees thousands of naps keeps no listener of them', async () => {
    const { signal } = new AbortController()
    let listeners = 0
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    vi.spyOn(signal, 'addEventListener').mockImplementation((...args: Parameters<typeof add>) => {
      listeners += 1
      add(...args)
    })
    vi.spyOn(signal, 'removeEventListener').mockImplementation((...args: Parameters<typeof remove>) => {
      listeners -= 1
      remove(...args)
    })

    for (let nap = 0; nap < 2000; nap++) {
      const sleep = systemClock.sleep(10, signal)
      vi.advanceTimersByTime(10)
      await sleep
    }
    expect(listeners).toBe(0)
  })
})

test('who waits for an abort hears of one that comes, and at once of one that was', async () => {
  const controller = new AbortController()
  let isOver = false
  const waiting = aborted(controller.signal).then(() => {
    isOver = true
  })
  await Promise.resolve()
  expect(isOver).toBe(false)
  controller.abort()
  await waiting

  await aborted(controller.signal)
})
