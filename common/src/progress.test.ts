import { FakeClock } from './fake-clock.ts'
import { expect, test } from 'vitest'
import { Progress } from './progress.ts'

test('a promise holds until its time is over, and a new one replaces it', async () => {
  const clock = new FakeClock()
  const progress = new Progress(clock)
  expect(progress.overdueMs).toBe(0)

  progress.promise(1_000)
  await clock.advance(1_000)
  expect(progress.overdueMs).toBe(0)
  await clock.advance(250)
  expect(progress.overdueMs).toBe(250)

  progress.promise(1_000)
  expect(progress.overdueMs).toBe(0)
})

test('a part at rest owes nothing', async () => {
  const clock = new FakeClock()
  const progress = new Progress(clock)
  progress.promise(10)
  progress.rest()

  await clock.advance(1_000_000)

  expect(progress.overdueMs).toBe(0)
})
