import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ControlMessage, encodeControl, isBrokenOpen, parseControl } from './control-message.ts'
import { MAX_CONTROL_BYTES } from './tunnel-protocol.ts'

const offset = fc.nat(Number.MAX_SAFE_INTEGER - 1)
const window = fc.integer({ min: 65_536, max: 2 ** 32 })
const code = fc.stringMatching(/^[A-Z][A-Z0-9_]{0,20}$/)
const sentence = fc.stringMatching(/^[a-z]{1,10}( [a-z]{1,10}){0,5}$/)

const message: fc.Arbitrary<ControlMessage> = fc.oneof(
  fc.record({
    type: fc.constant('open' as const),
    session: fc.stringMatching(/^[\w-]{22}$/),
    resume: fc.boolean(),
    received: offset,
    window,
    attempt: offset,
  }),
  fc.record({ type: fc.constant('opened' as const), received: offset, window }),
  fc.record({ type: fc.constant('refused' as const), code, message: sentence }),
  fc.record({ type: fc.constant('ack' as const), offset }),
  fc.record({ type: fc.constant('fin' as const), at: offset }),
  fc.record({ type: fc.constant('reset' as const), code, message: sentence }),
  fc.record({
    type: fc.constant('paired' as const),
    peer: fc.constantFrom('tunnel' as const, 'plain' as const),
  }),
)

test('every control message is read as it was written', () => {
  fc.assert(
    fc.property(message, (m) => {
      expect(parseControl(encodeControl(m))).toEqual(m)
    }),
  )
})

test('any text is read without an error, and gives only numbers that can be offsets', () => {
  const field = fc.oneof(fc.jsonValue(), fc.bigInt().map(Number), fc.double(), fc.string())
  const body = fc.dictionary(
    fc.constantFrom('type', 'received', 'at', 'window', 'session', 'resume', 'code', 'message', 'lastSeen'),
    fc.oneof(field, fc.constantFrom('open', 'opened', 'fin', 'reset', 'refused', 'waiting', 'paired')),
  )
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.json(),
    body.map((b) => JSON.stringify(b)),
    fc.string().map((s) => `a${s}`),
    fc.bigInt().map((n) => `a${n}`),
    fc.tuple(message, fc.nat(40), fc.string({ maxLength: 3 })).map(([m, at, insert]) => {
      const whole = encodeControl(m)
      return whole.slice(0, at) + insert + whole.slice(at + 1)
    }),
  )
  fc.assert(
    fc.property(text, (t) => {
      const parsed = parseControl(t)
      const numbers = Object.values(parsed ?? {}).filter((v) => typeof v === 'number')
      expect(numbers.every((n) => Number.isSafeInteger(n) && n >= 0)).toBe(true)
    }),
    { numRuns: 1_000, seed: 20 },
  )
})

test.each([
  ['nothing', ''],
  ['a number alone', '5'],
  ['an acknowledgement with a sign', 'a-5'],
  ['an acknowledgement beyond what is exact', `a${2 ** 53}`],
  ['JSON that is no object', '[1]'],
  ['null', 'null'],
  ['an object of another kind', '{"type":"hello"}'],
  ['an end without a number', '{"type":"fin"}'],
  ['a window that lets nothing through', '{"type":"opened","received":0,"window":1}'],
  ['a session id of another form', '{"type":"open","session":"../../etc","resume":false,"received":0}'],
  ['a message that is too long', JSON.stringify({ type: 'paired', peer: 'x'.repeat(MAX_CONTROL_BYTES) })],
])('%s means nothing', (_what, text) => {
  expect(parseControl(text)).toBeUndefined()
})

test('words of another end are one short line without control characters', () => {
  const refused = parseControl(
    JSON.stringify({ type: 'refused', code: 'x y', message: `\u001b[31mfirst\n\nsecond${'!'.repeat(900)}` }),
  )

  expect(refused).toMatchObject({
    code: 'UNKNOWN',
    message: expect.stringMatching(/^\[31mfirst second!+$/) as string,
  })
  expect(refused?.type === 'refused' && refused.message.length).toBeLessThanOrEqual(500)
})

test.each([
  ['{"type":"open","session":"short","resume":false,"received":0}', true],
  ['{"type":"open","session":"abcdefghijklmnopqrstuv","resume":false,"received":-1}', true],
  ['{"session":"abcdefghijklmnopqrstuv", "type" : "open", "resume', true],
  ['{"type":"open","session":"abcdefghijklmnopqrstuv","resume":false,"received":0}', false],
  ['{"type":"opened","received":-1}', false],
  ['{"type":"of a later version"}', false],
  ['a12', false],
  ['{"type":"hello","x":{"type":"open"}}', false],
  ['', false],
])('%s is an open that cannot be understood: %s', (text, isBroken) => {
  expect(isBrokenOpen(text)).toBe(isBroken)
})
