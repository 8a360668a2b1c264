import fc from 'fast-check'
import { expect, test } from 'vitest'
import { maxCommandCharacters, readCommandText } from './command-text.ts'

test('a command is sent as it was typed', () => {
  expect(readCommandText(' {"cmd":"set","value":1.50} ')).toEqual({
    ok: true,
    line: '{"cmd":"set","value":1.50}',
  })
})

test('a command over several lines becomes one line with the same meaning', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const read = readCommandText(JSON.stringify(value, undefined, 2))

      expect(read).toMatchObject({ ok: true })
      const line = read.ok ? read.line : ''
      expect(line).not.toMatch(/[\r\n]/)
      expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
})

test('what cannot be sent is refused with its reason', () => {
  expect(readCommandText('  ')).toEqual({ ok: false, reason: 'empty' })
  expect(readCommandText('{cmd:stop}')).toMatchObject({ ok: false, reason: 'not-json' })
  expect(readCommandText(`"${'x'.repeat(maxCommandCharacters)}"`)).toEqual({ ok: false, reason: 'too-long' })
})
