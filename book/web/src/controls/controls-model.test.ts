import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type Control,
  defaultControls,
  nearestAllowed,
  readControls,
  setPointText,
} from './controls-model.ts'

const described = {
  report: 'describe',
  controls: [{ param: 'target', min: -2, max: 2, step: 0.01, unit: 'rad', label: 'Target angle' }],
  stop: { cmd: 'stop' },
}

function onlyControl(entry: object): Control {
  const [control] = readControls({ controls: [entry] }).controls.controls
  if (control === undefined) throw new Error('the control was left out')
  return control
}

test('a description as the simulated instrument gives it is read', () => {
  const { controls, problems } = readControls(described)

  expect(problems).toEqual([])
  expect(controls.controls).toMatchObject(described.controls)
  expect(controls.stop).toEqual({ cmd: 'stop' })
  expect(controls.start).toEqual({ cmd: 'start' })
})

test('a set-point is sent as the instrument takes it', () => {
  expect(setPointText(onlyControl({ param: 'target', min: 0, max: 9 }), 1.5)).toBe(
    '{"cmd":"set","param":"target","value":1.5}',
  )
  expect(setPointText(defaultControls.controls[0] ?? onlyControl({}), -0.5)).toBe(
    '{"cmd":"set","param":"target","value":-0.5}',
  )
})

test('an experiment can say how its own firmware wants a set-point', () => {
  const control = onlyControl({
    param: 'speed',
    min: 0,
    max: 100,
    step: 1,
    send: { set: 'mode', to: ['velocity', '$value'], note: 'cost: $value' },
  })

  expect(setPointText(control, 30)).toBe('{"set":"mode","to":["velocity",30],"note":"cost: $value"}')
})

test('an experiment that has nothing to start says so', () => {
  expect(readControls({ ...described, start: null }).controls.start).toBeUndefined()
  expect(readControls({ ...described, start: { go: 1 } }).controls.start).toEqual({ go: 1 })
})

test('what is missing is made up sensibly', () => {
  const control = onlyControl({ param: 'motor_speed', min: 0, max: 360 })

  expect(control).toMatchObject({ label: 'Motor speed', step: 2, unit: '' })
})

test.for([
  [7, 'not-an-object'],
  [{ min: 0, max: 1 }, 'no-param'],
  [{ param: '', min: 0, max: 1 }, 'no-param'],
  [{ param: 'a', min: 0 }, 'bad-range'],
  [{ param: 'a', min: 1, max: 1 }, 'bad-range'],
  [{ param: 'a', min: '0', max: 1 }, 'bad-range'],
  [{ param: 'a', min: 0, max: 1, step: 0 }, 'bad-step'],
  [{ param: 'a', min: 0, max: 1, step: 2 }, 'bad-step'],
] as const)('a bad entry is left out, named, and does not cost the others: %j is %s', ([entry, reason]) => {
  const { controls, problems } = readControls({ controls: [{ param: 'good', min: 0, max: 1 }, entry] })

  expect(controls.controls.map(({ param }) => param)).toEqual(['good'])
  expect(problems).toEqual([{ position: 2, reason }])
})

test('controls that are no list, or too many, are named', () => {
  const many = Array.from({ length: 50 }, (_, i) => ({ param: `p${i}`, min: 0, max: 1 }))

  expect(readControls({ controls: 5 }).problems).toEqual([{ position: 0, reason: 'not-a-list' }])
  expect(readControls({ controls: many }).problems).toEqual([{ position: 0, reason: 'too-many' }])
  expect(readControls({ controls: many }).controls.controls).toHaveLength(24)
})

test('a value is moved to the nearest one allowed', () => {
  const control = onlyControl({ param: 'a', min: -1, max: 1, step: 0.1 })

  expect([0.31, 0.30000000000000004, 7, -7, 0.05].map((value) => nearestAllowed(control, value))).toEqual([
    0.3, 0.3, 1, -1, 0.1,
  ])
})

test('allowed values lie in the range and stay where they are', () => {
  const range = fc.record({
    min: fc.integer({ min: -1000, max: 1000 }),
    span: fc.integer({ min: 1, max: 1000 }),
    step: fc.constantFrom(0.001, 0.01, 0.05, 0.25, 1),
  })
  fc.assert(
    fc.property(range, fc.double({ noNaN: true, min: -3000, max: 3000 }), ({ min, span, step }, wanted) => {
      const control = onlyControl({ param: 'a', min, max: min + span, step })
      const value = nearestAllowed(control, wanted)

      expect(value).toBeGreaterThanOrEqual(min)
      expect(value).toBeLessThanOrEqual(min + span)
      expect(nearestAllowed(control, value)).toBe(value)
    }),
  )
})

test('no description makes it throw', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (controls, stop) => {
      for (const control of readControls({ controls, stop }).controls.controls) setPointText(control, 1)
    }),
  )
})
