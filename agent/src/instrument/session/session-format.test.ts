import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatLine, parseLine, type SessionEntry } from './session-format.ts'

const ms = fc.nat({ max: 1e9 }).map((tenths) => tenths / 10)
const entry: fc.Arbitrary<SessionEntry> = fc.oneof(
  fc.record({
    kind: fc.constant('header' as const),
    startedAt: fc.string(),
    instrument: fc.string(),
    device: fc.string(),
  }),
  fc.record({
    kind: fc.constant('data' as const),
    ms,
    direction: fc.constantFrom<'in' | 'out'>('in', 'out'),
    data: fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
    ),
  }),
  fc.record({
    kind: fc.constant('event' as const),
    ms,
    event: fc.constantFrom<'opened' | 'closed'>('opened', 'closed'),
    about: fc.string(),
  }),
)

test('what is written is read again, byte for byte, as one line each', () => {
  fc.assert(
    fc.property(entry, (written) => {
      const line = formatLine(written)
      expect(line.indexOf('\n')).toBe(line.length - 1)
      expect(parseLine(line.trimEnd())).toEqual({ ok: true, entry: written })
    }),
  )
})

test('the format is the one that is documented', () => {
  const startedAt = '2026-01-02T03:04:05.678Z'
  expect(formatLine({ kind: 'header', startedAt, instrument: 'board', device: '/dev/ttyACM0' })).toBe(
    '{"format":"relay-session","version":1,"startedAt":"2026-01-02T03:04:05.678Z","instrument":"board","device":"/dev/ttyACM0"}\n',
  )
  expect(formatLine({ kind: 'data', ms: 12.5, direction: 'in', data: Buffer.from('{"a":1}\n') })).toBe(
    '{"ms":12.5,"in":"{\\"a\\":1}\\n"}\n',
  )
  expect(formatLine({ kind: 'data', ms: 13, direction: 'out', data: Buffer.of(0xff, 0) })).toBe(
    '{"ms":13,"out":{"base64":"/wA="}}\n',
  )
  expect(formatLine({ kind: 'event', ms: 14, event: 'closed', about: '/dev/ttyACM0' })).toBe(
    '{"ms":14,"event":"closed","about":"/dev/ttyACM0"}\n',
  )
})

test.each([
  ['', /no JSON/],
  ['null', /no object/],
  ['{"format":"other","version":1}', /no "relay-session"/],
  ['{"format":"relay-session","version":2}', /version is not 1/],
  ['{"format":"relay-session","version":1}', /missing/],
  ['{"in":"a"}', /ms is missing/],
  ['{"ms":-1,"in":"a"}', /below 0/],
  ['{"ms":1}', /neither/],
  ['{"ms":1,"in":{"base64":5}}', /neither/],
])('%s is refused', (line, expected) => {
  const parsed = parseLine(line)

  expect(parsed.ok ? '' : parsed.refusal).toMatch(expected)
})

test('any line is either understood or refused', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
      const parsed = parseLine(line)
      expect(parsed.ok || parsed.refusal.length > 0).toBe(true)
    }),
  )
})
