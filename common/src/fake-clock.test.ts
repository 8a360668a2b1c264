import { expect, test } from 'vitest'
import { FakeClock } from './fake-clock.ts'

test('alarms fire in the order of their time, those of one moment in the order of their making', async () => {
  const clock = new FakeClock()
  const fired: string[] = []
  for (const [name, delayMs] of [
    ['c', 30],
    ['a', 10],
    ['b', 20],
    ['b2', 20],
  ] as const) {
    clock.after(delayMs, () => fired.push(`${name}@${clock.monotonicMs()}`))
  }

  await clock.advance(25)
  expect(fired).toEqual(['a@10', 'b@20', 'b2@20'])
  await clock.advance(5)
  expect(fired).toEqual(['a@10', 'b@20', 'b2@20', 'c@30'])
  expect(clock.pending).toBe(0)
})

test('what is scheduled by an alarm within the same advance fires too', async () => {
  const clock = new FakeClock()
  const fired: number[] = []
  const tick = (): void => {
    fired.push(clock.monotonicMs())
    clock.after(10, tick)
  }
  clock.after(10, tick)

  await clock.advance(35)
  expect(fired).toEqual([10, 20, 30])
  expect(clock.pending).toBe(1)
})

test('a chain of sleeps runs on while time is advanced once', async () => {
  const clock = new FakeClock()
  const woken: number[] = []
  const run = async (): Promise<void> => {
    for (let i = 0; i < 3; i++) {
      await clock.sleep(5)
      woken.push(clock.monotonicMs())
    }
  }
  const running = run()

  await clock.advance(100)
  await running
  expect(woken).toEqual([5, 10, 15])
})

test('a jump moves the wall clock alone', async () => {
  const clock = new FakeClock(1_000)
  const sleep = clock.sleep(50)

  clock.jump(-500)
  expect(clock.nowMs()).toBe(500)
  expect(clock.monotonicMs()).toBe(0)
  await clock.advance(50)
  await sleep
  expect(clock.nowMs()).toBe(550)
})

test('a cancelled alarm is gone', async () => {
  const clock = new FakeClock()
  const cancel = clock.after(5, () => expect.unreachable())

  cancel()
  expect(clock.pending).toBe(0)
  await clock.advance(10)
})

test('an aborted sleep leaves no alarm', async () => {
  const clock = new FakeClock()
  const controller = new AbortController()
  const sleep = clock.sleep(1_000, controller.signal)

  controller.abort()
  await sleep
  expect(clock.pending).toBe(0)
})

test('time does not run backwards', async () => {
  await expect(new FakeClock().advance(-1)).rejects.toThrow(RangeError)
})
