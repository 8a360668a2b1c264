import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Pendulum, pendulumEnergyJ, type PendulumState, stepPendulum, wrapAngle } from './pendulum.ts'

const state = fc.record({
  angleRad: fc.double({ min: -3.14, max: 3.14, noNaN: true }),
  velocityRadPerS: fc.double({ min: -30, max: 30, noNaN: true }),
})

function swing(from: PendulumState, dampingNms: number, steps: number): PendulumState {
  let now = from
  for (let i = 0; i < steps; i += 1) now = stepPendulum(now, { torqueNm: 0, dampingNms, stepS: 0.001 })
  return now
}

test('without a drive a damped pendulum never gains energy', () => {
  fc.assert(
    fc.property(state, fc.double({ min: 0.0005, max: 0.05, noNaN: true }), (start, dampingNms) => {
      let now: PendulumState = start
      for (let i = 0; i < 200; i += 1) {
        const next = stepPendulum(now, { torqueNm: 0, dampingNms, stepS: 0.001 })
        // The integration's own error is far below what damping takes, except where it hangs still.
        if (pendulumEnergyJ(next) > pendulumEnergyJ(now) + 1e-9) return false
        now = next
      }
      return true
    }),
  )
})

test('without a drive and damping the energy stays what it was', () => {
  fc.assert(
    fc.property(state, (start) => {
      const before = pendulumEnergyJ(start)
      return Math.abs(pendulumEnergyJ(swing(start, 0, 1000)) - before) <= 1e-4 * Math.max(1, before)
    }),
    { numRuns: 50 },
  )
})

test('a small swing has the period of the textbook', () => {
  const inertia = 0.2 * 0.3 * 0.3
  const periodS = 2 * Math.PI * Math.sqrt(inertia / (0.2 * 9.81 * 0.3))

  const after = swing({ angleRad: 0.01, velocityRadPerS: 0 }, 0, Math.round(periodS * 1000))

  expect(after.angleRad).toBeCloseTo(0.01, 4)
})

test('an angle is folded into one turn without changing where it points', () => {
  fc.assert(
    fc.property(fc.double({ min: -1e4, max: 1e4, noNaN: true }), (angle) => {
      const wrapped = wrapAngle(angle)
      return (
        wrapped > -Math.PI - 1e-9 &&
        wrapped <= Math.PI + 1e-9 &&
        Math.abs(Math.sin(wrapped) - Math.sin(angle)) < 1e-6 &&
        Math.abs(Math.cos(wrapped) - Math.cos(angle)) < 1e-6
      )
    }),
  )
})

test('it goes to the target and stays there', () => {
  const pendulum = new Pendulum()
  pendulum.set('drive', 0)
  pendulum.set('target', -1.2)

  pendulum.advance(20_000)

  expect(pendulum.read()[0]).toBeCloseTo(-1.2, 2)
  expect(pendulum.read()[1]).toBeCloseTo(0, 2)
})

test('stopped, the motor lets go and the pendulum comes to rest hanging down', () => {
  const pendulum = new Pendulum()
  pendulum.advance(5000)
  pendulum.set('damping', 0.05)
  pendulum.setRunning(false)

  pendulum.advance(20_000)

  expect(pendulum.isRunning).toBe(false)
  expect(pendulum.read()[0]).toBeCloseTo(0, 2)
})

test('a driving torque makes it swing at the driving frequency', () => {
  const pendulum = new Pendulum()
  pendulum.set('target', 0)
  pendulum.set('drive', 0.5)
  pendulum.set('frequency', 1)
  pendulum.advance(20_000)

  const angles = Array.from({ length: 1000 }, () => {
    pendulum.advance(10)
    return pendulum.read()[0] ?? 0
  })

  const upward = angles.filter((angle, i) => i > 0 && (angles[i - 1] ?? 0) < 0 && angle >= 0).length
  expect(upward).toBeGreaterThanOrEqual(9)
  expect(upward).toBeLessThanOrEqual(11)
  expect(Math.max(...angles)).toBeGreaterThan(0.2)
})

test('it stays finite and slower than its motor can turn it, for any sequence of settings and pauses', () => {
  const action = fc.oneof(
    fc.record({
      param: fc.constantFrom('target', 'drive', 'frequency', 'damping', 'nonsense', '__proto__'),
      value: fc.double(),
    }),
    fc.record({ isRunning: fc.boolean() }),
    fc.record({ advanceMs: fc.double({ min: 0, max: 300, noNaN: true }) }),
  )
  fc.assert(
    fc.property(fc.array(action, { maxLength: 20 }), (actions) => {
      const pendulum = new Pendulum()
      for (const one of actions) {
        if ('param' in one) pendulum.set(one.param, one.value)
        else if ('isRunning' in one) pendulum.setRunning(one.isRunning)
        else pendulum.advance(one.advanceMs)
      }
      const [angle = Number.NaN, velocity = Number.NaN] = pendulum.read()
      return Math.abs(angle) <= Math.PI + 1e-9 && Math.abs(velocity) < 1000
    }),
  )
})
