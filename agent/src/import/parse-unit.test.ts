import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseUnit } from './parse-unit.ts'

test('continued lines are one, with the line where they begin; comments within them are left out', () => {
  const { lines } = parseUnit(
    '[Unit]\nDescription=a\n[Service]\nExecStart=/bin/a \\\n# no\n  b \\\n  c\nUser=pi\n',
  )
  expect(lines).toEqual([
    { section: 'Unit', key: 'Description', value: 'a', line: 2 },
    { section: 'Service', key: 'ExecStart', value: '/bin/a  b c', line: 4 },
    { section: 'Service', key: 'User', value: 'pi', line: 8 },
  ])
})

test('an empty setting takes back what was set before', () => {
  const { lines } = parseUnit('[Service]\nExecStart=/bin/a\nExecStart=\nExecStart=/bin/b\n')
  expect(lines.map(({ value }) => value)).toEqual(['/bin/b'])
})

test('lines that no unit has are told by their number', () => {
  expect(
    parseUnit('A=before any section\n[Service]\nwhat is this\n; a comment\n[Broken\n').notUnderstood,
  ).toEqual([1, 3, 5])
})

test('text of any kind gives something', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii', maxLength: 200 }), (text) => {
      expect(Array.isArray(parseUnit(text).lines)).toBe(true)
    }),
  )
})
