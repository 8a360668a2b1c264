import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readIdentity } from './instrument-identity.ts'

test('name and units are read', () => {
  const description = {
    report: 'describe',
    name: 'simulated pendulum',
    fields: [{ name: 'angle', unit: 'rad' }, { name: 'velocity' }, null, 7],
  }

  expect(readIdentity(description)).toEqual({
    name: 'simulated pendulum',
    units: new Map([['angle', 'rad']]),
  })
})

test('no description makes it throw', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (name, fields) => {
      readIdentity({ name, fields })
    }),
  )
})
