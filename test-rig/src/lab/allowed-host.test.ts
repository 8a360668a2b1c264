import fc from 'fast-check'
import { expect, test } from 'vitest'
import { allowedHost } from './allowed-host.ts'

test.each([
  ['localhost:8080', 'localhost'],
  ['LOCALHOST', 'localhost'],
  ['127.0.0.1:8080', '127.0.0.1'],
  ['192.168.1.20:8080', '192.168.1.20'],
  ['[::1]:8080', '[::1]'],
  ['bench.local:8080', 'bench.local'],
  ['bench:8080', 'bench'],
])('%s may ask', (header, name) => {
  expect(allowedHost(header, 'Bench')).toBe(name)
})

test.each([
  'evil.example:8080',
  'localhost.evil.example',
  '127.0.0.1.evil.example',
  'localhost:8080:9',
  'localhost:abc',
  '',
  undefined,
  '::1',
  'bench.local.evil.example',
])('%s may not: a stranger could make that name point here', (header) => {
  expect(allowedHost(header, 'bench')).toBeUndefined()
})

test('whatever the header, only addresses and own names come back', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.domain(), fc.ipV4(), fc.ipV6()), (header) => {
      const name = allowedHost(header, 'bench')
      return name === undefined || /^(localhost|bench|bench\.local|[0-9.]+|\[[0-9a-f:.]+\])$/.test(name)
    }),
  )
})
