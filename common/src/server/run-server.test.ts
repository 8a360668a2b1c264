import { FakeClock } from '../fake-clock.ts'
import { silentLog } from '../log.ts'
import { expect, test } from 'vitest'
import { runServer } from './run-server.ts'

function running() {
  const events: string[] = []
  const readings: PromiseWithResolvers<void>[] = []
  const controller = new AbortController()
  let hangUp = (): void => undefined
  const say = (event: string) => (): void => void events.push(event)
  const ended = runServer(
    {
      parts: [],
      statusLine: () => 'fine',
      rereadKeys: async () => {
        const reading = Promise.withResolvers<void>()
        readings.push(reading)
        await reading.promise
      },
      stop: () => Promise.resolve(say('stopped')()),
    },
    {
      process: {
        signal: controller.signal,
        onHangUp: (listener) => {
          hangUp = listener
        },
      },
      watchdogIntervalMs: undefined,
      drainWithinMs: 1_000,
    },
    {
      clock: new FakeClock(),
      log: silentLog(),
      notifier: {
        kind: 'native',
        ready: say('ready'),
        reloading: say('reloading'),
        stopping: say('stopping'),
        status: () => undefined,
        watchdog: () => undefined,
        extendTimeout: () => undefined,
      },
    },
  )
  return { events, readings, hangUp: () => hangUp(), stop: () => controller.abort(), ended }
}

test('orders to read keys that come while they are read lead to one more reading', async () => {
  const { events, readings, hangUp, stop, ended } = running()
  hangUp()
  hangUp()
  hangUp()
  for (const round of [0, 1]) {
    await expect.poll(() => readings[round]).toBeDefined()
    readings[round]?.resolve()
  }
  await expect.poll(() => events).toEqual(['ready', 'reloading', 'ready'])

  stop()
  await ended

  expect(readings).toHaveLength(2)
  expect(events.slice(3)).toEqual(['stopping', 'stopped'])
})

test('a reading that the end overtakes is not told of', async () => {
  const { events, readings, hangUp, stop, ended } = running()
  hangUp()
  stop()
  await ended
  readings[0]?.resolve()
  await Promise.resolve()

  expect(events).toEqual(['ready', 'reloading', 'stopping', 'stopped'])
})
