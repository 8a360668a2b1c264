import { expect, test } from 'vitest'
import { recordOf } from './record-output.ts'

const nowMs = Date.UTC(2026, 10, 22, 12, 0, 0, 120)

test.each([
  ['text', false, 'hi', '[2026-11-22T12:00:00.12Z] hi\n'],
  ['text', true, 'hi', '[2026-11-22T12:00:00.12Z] aGk=\n'],
  ['lines', false, '{"a":1}', '{"a":1}\n'],
  ['lines', true, 'hi', 'aGk=\n'],
  ['binary', true, 'hi', 'hi'],
  ['binary', false, 'hi', 'hi'],
] as const)('mode %s, binary %s: %j is written as %j', (mode, isBinary, content, record) => {
  expect(recordOf(Buffer.from(content), { mode, isBinary, nowMs }).toString()).toBe(record)
})

test('a whole second has no fraction, as Go writes it', () => {
  const record = recordOf(Buffer.from('x'), { mode: 'text', isBinary: false, nowMs: 1_000_000_000_000 })

  expect(record.toString()).toBe('[2001-09-09T01:46:40Z] x\n')
})
