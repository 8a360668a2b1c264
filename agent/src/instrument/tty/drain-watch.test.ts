import { FakeClock } from '@relay/common/fake-clock'
import { expect, test } from 'vitest'
import { DrainWatch } from './drain-watch.ts'

/** A line of 1000 bytes a second, and a grace of five seconds. */
function watched() {
  const clock = new FakeClock()
  const looks: { readonly end: () => void; readonly signal: AbortSignal }[] = []
  const watch = new DrainWatch({
    clock,
    withinMs: (bytes) => 5_000 + 2 * bytes,
    drain: (signal) => new Promise((resolve) => void looks.push({ end: resolve, signal })),
  })
  return { clock, watch, looks }
}

test('nothing is looked at while nothing is written', async () => {
  const { clock, watch, looks } = watched()
  for (let second = 0; second < 60; second++) {
    expect(watch.isStuck()).toBe(false)
    await clock.advance(1_000)
  }

  expect(looks).toHaveLength(0)
})

test('output that leaves is looked at every five seconds at most', async () => {
  const { clock, watch, looks } = watched()
  for (let second = 0; second < 60; second++) {
    watch.written(10)
    expect(watch.isStuck()).toBe(false)
    looks.at(-1)?.end()
    await clock.advance(1_000)
  }

  expect(looks).toHaveLength(12)
})

test('output that does not leave is stuck after the grace and the time of the line', async () => {
  const { clock, watch, looks } = watched()
  watch.written(1_000)
  expect(watch.isStuck()).toBe(false)
  await clock.advance(6_900)
  expect(watch.isStuck()).toBe(false)
  await clock.advance(100)

  expect(watch.isStuck()).toBe(true)
  expect(looks).toHaveLength(1)
})

test('a line that is busy without a pause is not stuck', async () => {
  const { clock, watch } = watched()
  for (let second = 0; second < 600; second++) {
    watch.written(900)
    expect(watch.isStuck()).toBe(false)
    await clock.advance(1_000)
  }
})

test('a stop ends the look', () => {
  const { watch, looks } = watched()
  watch.written(1)
  watch.isStuck()
  watch.stop()

  expect(looks[0]?.signal.aborted).toBe(true)
})
