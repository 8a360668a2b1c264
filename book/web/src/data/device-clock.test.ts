import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DeviceClock } from './device-clock.ts'

test('samples keep the spacing of the device, however the network delays them', () => {
  const clock = new DeviceClock()
  // The third travels 70 ms, the others 20.
  const arrivals = [1020, 1040, 1110, 1080, 1100]
  const times = arrivals.map((arrivalMs, i) => clock.toPageMs(500_000 + i * 20, arrivalMs))

  const gaps = times.slice(1).map((time, i) => Math.round(time - (times[i] ?? 0)))

  expect(gaps).toEqual([20, 20, 20, 20])
})

test('a device that restarts begins anew', () => {
  const clock = new DeviceClock()
  clock.toPageMs(900_000, 1000)

  expect(clock.toPageMs(5, 1500)).toBe(1500)
  expect(clock.toPageMs(25, 1530)).toBeCloseTo(1520, 0)
})

test('a device clock that drifts is followed', () => {
  const clock = new DeviceClock()
  let lagMs = 0
  for (let i = 0; i < 60_000; i += 20) lagMs = i - clock.toPageMs(i * 0.9995, i)

  expect(lagMs).toBeLessThan(5)
})

test('stamps that do not run in milliseconds are not used for long', () => {
  const clock = new DeviceClock()
  let lastMs = 0
  for (let i = 0; i < 20_000; i += 20) lastMs = clock.toPageMs(i / 1000, i)

  expect(lastMs).toBe(19_980)
})

test('without a stamp the arrival counts', () => {
  expect(new DeviceClock().toPageMs(undefined, 7)).toBe(7)
  expect(new DeviceClock().toPageMs(Number.NaN, 7)).toBe(7)
})

test('no sample lies in the future', () => {
  const step = fc.tuple(fc.double({ noNaN: true, min: -1e5, max: 1e5 }), fc.nat({ max: 5000 }))
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const clock = new DeviceClock()
      let arrivalMs = 0
      for (const [deviceMs, laterMs] of steps) {
        arrivalMs += laterMs
        expect(clock.toPageMs(deviceMs, arrivalMs)).toBeLessThanOrEqual(arrivalMs + 1e-6)
      }
    }),
  )
})
