import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nearestName } from './nearest-name.ts'

const known = ['port', 'audience', 'accessPort', 'secret', 'en', 'maxConnections']

test.each([
  ['prot', 'port'],
  ['Port', 'port'],
  ['audiance', 'audience'],
  ['access-port', 'accessPort'],
  ['access_port', 'accessPort'],
  ['acessPorts', 'accessPort'],
  ['secrte', 'secret'],
  ['max-conections', 'maxConnections'],
  ['ne', 'en'],
  ['x', undefined],
  ['<<', undefined],
  ['', undefined],
  ['colour', undefined],
  ['pirate', undefined],
])('by "%s" is meant %s', (given, meant) => {
  expect(nearestName(given, known)).toBe(meant)
})

test('a name of one letter is meant by no other', () => {
  expect(nearestName('x', ['y'])).toBeUndefined()
  expect(nearestName('X', ['x'])).toBe('x')
})

test('the nearest counts, not the first that is near', () => {
  expect(nearestName('streams', ['steam', 'stream', 'treams'])).toBe('stream')
})

test('a name itself is always found, and only known names are given', () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{3,12}$/), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(names, fc.string({ maxLength: 80 }), fc.nat(), (list, given, index) => {
      const one = list[index % list.length] ?? ''
      expect(nearestName(one, list)).toBe(one)
      expect([undefined, ...list]).toContain(nearestName(given, list))
    }),
  )
})

test('a name of megabytes is not compared letter by letter', () => {
  const name = 'p'.repeat(5_000_000)
  const before = process.cpuUsage()
  expect(nearestName(name, known)).toBeUndefined()
  expect(process.cpuUsage(before).user / 1000).toBeLessThan(100)
})
