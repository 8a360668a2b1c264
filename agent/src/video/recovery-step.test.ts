import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mayRecoverFrozen, nextRecoveryStep, type RecoveryStep, type TroubleFacts } from './recovery-step.ts'

const facts: TroubleFacts = {
  upTo: 'port-power',
  nowMs: 1_000_000,
  troubleSinceMs: 1_000_000 - 30_000,
  failures: 3,
  isPresent: true,
  resets: 0,
  lastResetAtMs: undefined,
  powerCycles: 0,
  lastPowerCycleAtMs: undefined,
}
const longTrouble = { troubleSinceMs: 1_000_000 - 90_000 }

test.each<[string, Partial<TroubleFacts>, RecoveryStep]>([
  ['a camera that fails again and again is reset', {}, 'usb-reset'],
  ['not after the first failures', { failures: 2 }, 'restart'],
  ['not within the first seconds', { troubleSinceMs: 990_000 }, 'restart'],
  ['not where the configuration allows restarts alone', { upTo: 'restart', ...longTrouble }, 'restart'],
  ['one that is not there cannot be reset', { isPresent: false }, 'restart'],
  ['nor soon after a reset', { resets: 1, lastResetAtMs: 950_000 }, 'restart'],
  ['a minute after the first reset comes the second', { resets: 1, lastResetAtMs: 940_000 }, 'usb-reset'],
  [
    'and two minutes after that the third',
    { upTo: 'usb-reset', resets: 2, lastResetAtMs: 900_000 },
    'restart',
  ],
  [
    'when resets do not help its power is cycled',
    { ...longTrouble, resets: 2, lastResetAtMs: 990_000 },
    'port-power',
  ],
  [
    'not where that is not allowed',
    { ...longTrouble, upTo: 'usb-reset', resets: 2, lastResetAtMs: 1 },
    'usb-reset',
  ],
  ['one that fell off the bus gets its power cycled', { ...longTrouble, isPresent: false }, 'port-power'],
  [
    'not again within five minutes',
    { ...longTrouble, isPresent: false, powerCycles: 1, lastPowerCycleAtMs: 800_000 },
    'restart',
  ],
])('%s', (_name, change, step) => {
  expect(nextRecoveryStep({ ...facts, ...change })).toBe(step)
})

test('in a week of trouble the hub is disturbed a bounded number of times', () => {
  fc.assert(
    fc.property(fc.integer({ min: 500, max: 60_000 }), fc.boolean(), (everyMs, isPresent) => {
      const done = { resets: 0, powerCycles: 0 }
      const lastAt: { reset?: number; power?: number } = {}
      let failures = 0
      for (let nowMs = 0; nowMs < 7 * 86_400_000; nowMs += everyMs * 20) {
        failures += 1
        const step = nextRecoveryStep({
          upTo: 'port-power',
          nowMs,
          troubleSinceMs: 0,
          failures,
          isPresent,
          ...done,
          lastResetAtMs: lastAt.reset,
          lastPowerCycleAtMs: lastAt.power,
        })
        if (step === 'usb-reset') {
          done.resets += 1
          lastAt.reset = nowMs
        }
        if (step === 'port-power') {
          done.powerCycles += 1
          lastAt.power = nowMs
        }
      }
      expect(done.powerCycles).toBeGreaterThan(0)
      expect(done.powerCycles).toBeLessThanOrEqual(40)
      expect(done.resets).toBeLessThanOrEqual(180)
    }),
    { numRuns: 20 },
  )
})

describe('a frozen picture', () => {
  test('is worked on four times, ever more rarely, and then left alone', () => {
    let attempts = 0
    let lastAtMs = 0
    const doneAtMs: number[] = []
    for (let nowMs = 0; nowMs < 86_400_000; nowMs += 500) {
      if (!mayRecoverFrozen(attempts, nowMs - lastAtMs)) continue
      attempts += 1
      lastAtMs = nowMs
      doneAtMs.push(nowMs)
    }

    expect(doneAtMs).toEqual([0, 60_000, 360_000, 2_160_000])
  })
})
