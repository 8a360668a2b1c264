import { FakeClock } from './fake-clock.ts'
import { silentLog } from './log.ts'
import { expect, test } from 'vitest'
import { Progress } from './progress.ts'
import { stuckParts, Watchdog, type WatchedPart } from './watchdog.ts'

/** Also stands still as a whole, as a stopped process does. */
class StallingClock extends FakeClock {
  #stalledMs = 0

  override monotonicMs(): number {
    return super.monotonicMs() + this.#stalledMs
  }

  stall(ms: number): void {
    this.#stalledMs += ms
  }
}

function watch(intervalMs: number | undefined) {
  const clock = new StallingClock()
  const part = (name: string): WatchedPart => ({ name, progress: new Progress(clock) })
  const parts = [part('camera front'), part('uplink data')] as const
  const signs: number[] = []
  const logged: unknown[] = []
  const log = silentLog()
  log.error = (facts: unknown) => void logged.push(facts)
  const controller = new AbortController()
  const startedAtMs = clock.monotonicMs()
  const notifier = { watchdog: () => void signs.push(clock.monotonicMs() - startedAtMs) }
  const ended = new Watchdog({ intervalMs, parts: () => parts }, { clock, log, notifier }).run(
    controller.signal,
  )
  const stop = async (): Promise<void> => {
    controller.abort()
    await ended
  }
  return { clock, parts, signs, logged, stop }
}

test('systemd gets three signs of life in the time within which it asks for one, so that two may be lost', async () => {
  const { clock, signs, stop } = watch(30_000)

  await clock.advance(30_000)
  await stop()

  expect(signs).toEqual([0, 10_000, 20_000, 30_000])
})

test('one part that broke its promise ends the signs of life, and is named', async () => {
  const { clock, parts, signs, logged, stop } = watch(30_000)
  parts[0].progress.promise(100_000)
  parts[1].progress.promise(20_000)

  await clock.advance(60_000)
  await stop()

  expect(signs).toEqual([0, 10_000, 20_000])
  expect(logged).toEqual([{ part: 'uplink data', overdueMs: 10_000 }])
})

test('a part that is late and goes on is forgiven before systemd loses its patience', async () => {
  const { clock, parts, signs, stop } = watch(30_000)
  parts[1].progress.promise(18_000)

  await clock.advance(20_500)
  parts[1].progress.promise(60_000)
  await clock.advance(9_500)
  await stop()

  expect(signs).toEqual([0, 10_000, 21_250])
})

test('a part that is late by less than a second is not stuck', async () => {
  const { clock, parts, signs, logged, stop } = watch(30_000)
  parts[1].progress.promise(9_000)

  await clock.advance(10_000)
  await stop()

  expect(signs).toEqual([0, 10_000])
  expect(logged).toEqual([])
  expect(stuckParts(parts)).toEqual([])
})

test('after this process stood still the parts get their turn before they are judged', async () => {
  const { clock, parts, signs, stop } = watch(30_000)
  parts[1].progress.promise(20_000)

  // All timers of a process that was stopped come late, the watchdog's perhaps first.
  await clock.advance(9_999)
  clock.stall(50_000)
  await clock.advance(1)
  await stop()

  expect(signs).toEqual([0, 60_000])
})

test('without systemd a stuck part is still named', async () => {
  const { clock, parts, logged, stop } = watch(undefined)
  parts[0].progress.promise(1_000)

  await clock.advance(60_000)
  await stop()

  expect(logged).toEqual([{ part: 'camera front', overdueMs: 9_000 }])
})
