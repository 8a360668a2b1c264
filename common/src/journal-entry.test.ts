import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fieldName, journalEntry } from './journal-entry.ts'
import { journalDatagram, journalLine, withPriority } from './journal.ts'

const lost =
  '{"level":"warn","time":"2026-01-01T00:00:00Z","program":"relay-agent","camera":"front","delayMs":700,' +
  '"error":{"name":"AppError","code":"CAMERA_LOST","message":"the camera went away"},"msg":"camera failed, will be started again"}\n'

test('an entry has its priority, a line for people, and fields to look for', () => {
  expect(journalEntry(lost)).toEqual({
    priority: 4,
    message:
      'camera failed, will be started again: the camera went away [CAMERA_LOST] (camera=front delayMs=700)',
    fields: { CAMERA: 'front', DELAY_MS: '700', ERROR_CODE: 'CAMERA_LOST' },
  })
})

test.each([
  ['trace', 7],
  ['debug', 7],
  ['info', 6],
  ['warn', 4],
  ['error', 3],
  ['fatal', 2],
  ['unheard of', 6],
])('level %s has priority %i', (level, priority) => {
  expect(journalEntry(JSON.stringify({ level, msg: 'x' })).priority).toBe(priority)
})

test.each([
  ['camera', 'CAMERA'],
  ['delayMs', 'DELAY_MS'],
  ['a-b c', 'A_B_C'],
  ['_UID', ''],
  ['2nd', ''],
  ['', ''],
  ['message', ''],
  ['priority', ''],
  ['syslogIdentifier', ''],
  ['objectPid', ''],
  ['unit', ''],
  ['x'.repeat(100), 'X'.repeat(64)],
])('%j is the field %j', (name, field) => {
  expect(fieldName(name)).toBe(field)
})

describe('whatever is logged', () => {
  test('a line that is no JSON is told as it is', () => {
    expect(journalLine('not json\n')).toBe('<6>not json\n')
    expect(journalLine('[1]\n')).toMatch(/^<6>/)
  })

  test('no value begins a line, or a field, of its own', () => {
    const line = `${JSON.stringify({ level: 'info', note: 'x\nPRIORITY=0\r\n<0>x', msg: 'a\nMESSAGE=b', 'x\ny': 1 })}\n`

    expect(journalDatagram(line, 'relay-agent')).toBe(
      'PRIORITY=6\nSYSLOG_IDENTIFIER=relay-agent\n' +
        'MESSAGE=a MESSAGE=b (note=x PRIORITY=0 <0>x x y=1)\nNOTE=x PRIORITY=0 <0>x\nX_Y=1\n',
    )
    expect(journalLine(line).split('\n')).toHaveLength(2)
  })

  test('a datagram fits, and every line of it is a field', () => {
    const json = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue())
    fc.assert(
      fc.property(json, fc.string({ unit: 'binary', maxLength: 6_000 }), (facts, msg) => {
        const datagram = journalDatagram(`${JSON.stringify({ ...facts, msg })}\n`, 'relay')

        expect(Buffer.byteLength(datagram)).toBeLessThanOrEqual(4_095)
        expect(datagram.endsWith('\n')).toBe(true)
        for (const line of datagram.slice(0, -1).split('\n')) expect(line).toMatch(/^[A-Z][A-Z0-9_]{0,63}=/)
      }),
    )
  })
})

test('each line of a text has its priority, empty ones have none', () => {
  expect(withPriority('a\nb\n\nc\n', 3)).toBe('<3>a\n<3>b\n\n<3>c\n')
})
