import { expect, test } from 'vitest'
import { watchdogIntervalMs } from './watchdog-interval.ts'

test.each([
  [{}, undefined],
  [{ WATCHDOG_USEC: '30000000' }, 30_000],
  [{ WATCHDOG_USEC: '500', WATCHDOG_PID: '7' }, 0.5],
  [{ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '7' }, 30_000],
  [{ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '8' }, undefined],
  [{ WATCHDOG_USEC: '0' }, undefined],
  [{ WATCHDOG_USEC: '-1' }, undefined],
  [{ WATCHDOG_USEC: 'soon' }, undefined],
  [{ WATCHDOG_USEC: '1e9' }, undefined],
])('what systemd says about the watchdog, %j, gives %s ms to process 7', (environment, expected) => {
  expect(watchdogIntervalMs(environment, 7)).toBe(expected)
})
