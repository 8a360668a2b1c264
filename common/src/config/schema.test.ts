import fc from 'fast-check'
import { type StaticDecode, Type } from 'typebox'
import { Value } from 'typebox/value'
import { describe, expect, test } from 'vitest'
import { Bytes, Duration, parseBytes, parseDurationMs, Section } from './schema.ts'

const duration = Duration({ description: 'a time span' })
const bytes = Bytes({ description: 'a size' })

describe('a duration', () => {
  test.each([
    ['0', 0],
    ['500ms', 500],
    ['30s', 30_000],
    ['1m30s', 90_000],
    ['2h', 7_200_000],
    ['1h0m0s', 3_600_000],
    ['7d', 604_800_000],
    ['1.5s', 1500],
    ['0.1s', 100],
    ['0.4ms', 0],
    ['1m1ms', 60_001],
  ])('%s is %i ms', (text, ms) => {
    expect(Value.Check(duration, text)).toBe(true)
    expect(Value.Decode(duration, text)).toBe(ms)
    expect(parseDurationMs(text)).toBe(ms)
  })

  test.each([
    '',
    '30',
    's',
    '-5s',
    '5 s',
    '5sec',
    '1,5s',
    '1.s',
    '.5s',
    '1e3s',
    '5S',
    '5us',
    'Infinity',
    '99999999999d',
    30,
  ])('%j is none', (text) => {
    expect(Value.Check(duration, text)).toBe(false)
  })

  test('is the same after writing and reading, whatever its length', () => {
    fc.assert(
      fc.property(
        fc.nat(Number.MAX_SAFE_INTEGER - 1).filter((ms) => ms < 1e15),
        (ms) => {
          const text: unknown = Value.Encode(duration, ms)
          expect(Value.Check(duration, text)).toBe(true)
          expect(Value.Decode(duration, text)).toBe(ms)
        },
      ),
    )
  })

  test('made of parts is the sum of its parts', () => {
    const part = fc.tuple(fc.nat(9999), fc.constantFrom('ms', 's', 'm', 'h', 'd'))
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
        const texts = parts.map(([amount, unit]) => `${amount}${unit}`)
        expect(parseDurationMs(texts.join(''))).toBe(texts.map(parseDurationMs).reduce((sum, ms) => sum + ms))
      }),
    )
  })
})

describe('a size', () => {
  test.each([
    ['0B', 0],
    ['512B', 512],
    ['64KiB', 65_536],
    ['10MiB', 10_485_760],
    ['1GiB', 1_073_741_824],
    ['1.5KiB', 1536],
  ])('%s is %i bytes', (text, size) => {
    expect(Value.Check(bytes, text)).toBe(true)
    expect(Value.Decode(bytes, text)).toBe(size)
    expect(parseBytes(text)).toBe(size)
  })

  test.each(['', '512', '10MB', '10 MiB', '-1B', '1.5B', '10mib', '1KiB1B', '9999999GiB', 512])(
    '%j is none',
    (text) => {
      expect(Value.Check(bytes, text)).toBe(false)
    },
  )

  test('is the same after writing and reading', () => {
    fc.assert(
      fc.property(fc.nat(999_999_999), (size) => {
        const text: unknown = Value.Encode(bytes, size)
        expect(Value.Decode(bytes, text)).toBe(size)
      }),
    )
  })
})

describe('a section', () => {
  const port = Type.Integer({ default: 8082 })

  test('is there with its defaults, unless it may be absent', () => {
    const schema = Section({
      access: Section({ port }),
      stats: Type.Optional(Section({ port }, { optional: true })),
    })
    const value: unknown = Value.Default(schema, {})

    expect(value).toEqual({ access: { port: 8082 } })
    expect(Value.Check(schema, value)).toBe(true)
  })

  test('is closed', () => {
    expect(Value.Check(Section({ port }), { port: 1, prot: 2 })).toBe(false)
  })

  test('decodes durations and sizes to numbers', () => {
    const schema = Section({ wait: duration, limit: bytes })
    const decoded: StaticDecode<typeof schema> = Value.Decode(schema, { wait: '1s', limit: '1KiB' })

    expect(decoded).toEqual({ wait: 1000, limit: 1024 })
  })
})
