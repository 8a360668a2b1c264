import fc from 'fast-check'
import { expect, test } from 'vitest'
import { flattenFields } from './flatten-fields.ts'

function flat(value: object): Record<string, number | boolean> {
  const fields: Record<string, number | boolean> = {}
  flattenFields(value, (name, field) => {
    fields[name] = field
  })
  return fields
}

test('numbers and booleans are found, nested ones under dotted names', () => {
  const message = {
    t: 12_345,
    angle: -0.5,
    running: true,
    motor: { speed: 3, axis: [1, 2] },
    unit: 'rad',
    none: null,
  }

  expect(flat(message)).toEqual({
    t: 12_345,
    angle: -0.5,
    running: true,
    'motor.speed': 3,
    'motor.axis.0': 1,
    'motor.axis.1': 2,
  })
})

test('whatever is sent, the work is bounded', () => {
  fc.assert(
    fc.property(fc.object({ maxDepth: 9, maxKeys: 12 }), (value) => {
      let visits = 0
      flattenFields(value, (name) => {
        visits += 1
        expect(name.length).toBeLessThanOrEqual(64)
        expect(name.split('.').length).toBeLessThanOrEqual(64)
      })
      expect(visits).toBeLessThanOrEqual(256)
    }),
  )
  expect(Object.keys(flat(Array.from({ length: 1000 }, (_, i) => i)))).toHaveLength(256)
})
