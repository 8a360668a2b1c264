import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Motor, motorEnergyJ, type MotorState, stepMotor } from './motor.ts'

test('a shorted motor never gains energy', () => {
  const start = fc.record({
    positionRad: fc.double({ min: -100, max: 100, noNaN: true }),
    speedRadPerS: fc.double({ min: -240, max: 240, noNaN: true }),
    currentA: fc.double({ min: -6, max: 6, noNaN: true }),
  })
  fc.assert(
    fc.property(start, fc.double({ min: 0, max: 0.05, noNaN: true }), (from, frictionNm) => {
      let now: MotorState = from
      for (let i = 0; i < 200; i += 1) {
        const next = stepMotor(now, { voltageV: 0, frictionNm, stepS: 0.0005 })
        if (motorEnergyJ(next) > motorEnergyJ(now) * (1 + 1e-9) + 1e-12) return false
        now = next
      }
      return true
    }),
  )
})

test('at a constant voltage it reaches the speed at which the induced voltage balances it', () => {
  let now: MotorState = { positionRad: 0, speedRadPerS: 0, currentA: 0 }
  for (let i = 0; i < 20_000; i += 1) now = stepMotor(now, { voltageV: 6, frictionNm: 0, stepS: 0.0005 })

  const balanceV = 0.05 * now.speedRadPerS + 2 * now.currentA

  expect(balanceV).toBeCloseTo(6, 3)
  expect(0.05 * now.currentA).toBeCloseTo(1e-4 * now.speedRadPerS, 4)
})

test('it turns to the target and stays there', () => {
  const motor = new Motor()
  motor.set('target', 10)

  motor.advance(15_000)

  expect(motor.read()[0]).toBeCloseTo(10, 1)
  expect(motor.read()[1]).toBeCloseTo(0, 1)
})

test('stopped, it brakes within a second and ignores the target', () => {
  const motor = new Motor({ positionRad: 0, speedRadPerS: 200, currentA: 0 })
  motor.setRunning(false)
  motor.set('target', 20)

  motor.advance(1000)

  expect(Math.abs(motor.read()[1] ?? Number.NaN)).toBeLessThan(0.1)
})

test('it stays finite for any sequence of settings and pauses', () => {
  const action = fc.oneof(
    fc.record({
      param: fc.constantFrom('target', 'kp', 'ki', 'kd', 'friction', 'nonsense'),
      value: fc.double(),
    }),
    fc.record({ isRunning: fc.boolean() }),
    fc.record({ advanceMs: fc.double({ min: 0, max: 200, noNaN: true }) }),
  )
  fc.assert(
    fc.property(fc.array(action, { maxLength: 20 }), (actions) => {
      const motor = new Motor()
      for (const one of actions) {
        if ('param' in one) motor.set(one.param, one.value)
        else if ('isRunning' in one) motor.setRunning(one.isRunning)
        else motor.advance(one.advanceMs)
      }
      const [position = Number.NaN, speed = Number.NaN, current = Number.NaN] = motor.read()
      return Math.abs(position) < 1e6 && Math.abs(speed) <= 241 && Math.abs(current) <= 13
    }),
  )
})
