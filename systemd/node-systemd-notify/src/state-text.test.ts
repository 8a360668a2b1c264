import fc from 'fast-check'
import { expect, test } from 'vitest'
import { stateText, statusField } from './state-text.ts'

test('each field is a line of its own', () => {
  expect(stateText([['READY', 1], statusField('one camera')])).toBe('READY=1\nSTATUS=one camera\n')
})

test('a line break in a status begins no field of its own', () => {
  expect(stateText([statusField('camera\nMAINPID=1\r\n\u2028x\u0000')])).toBe('STATUS=camera MAINPID=1 x\n')
})

test('whatever the status is, it is one line of well formed text that systemd takes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 20 }), fc.nat(100), (text, count) => {
      const message = stateText([statusField(text.repeat(count))])
      expect(message.split('\n')).toHaveLength(2)
      expect(Buffer.byteLength(message)).toBeLessThanOrEqual(1_024 + 'STATUS=\n'.length)
      expect(message.isWellFormed()).toBe(true)
    }),
    { numRuns: 30 },
  )
})

test('a status that is too long ends with a sign of it, and between two characters', () => {
  const [, value] = statusField('Übung '.repeat(400))

  expect(value).toMatch(/^(?:Übung )+[Übung]*…$/)
})
