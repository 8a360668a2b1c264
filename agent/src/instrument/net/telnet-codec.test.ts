import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  COM_PORT_OPTION,
  DO,
  escapeTelnet,
  IAC,
  negotiation,
  subnegotiation,
  TelnetDecoder,
  WILL,
} from './telnet-codec.ts'

type Told =
  | { readonly kind: 'data'; readonly bytes: number[] }
  | { readonly kind: 'negotiation'; readonly verb: number; readonly option: number }
  | { readonly kind: 'subnegotiation'; readonly option: number; readonly bytes: number[] }

/** What comes out, with data that belongs together in one piece. */
function decode(chunks: readonly Buffer[]): {
  readonly told: readonly Told[]
  readonly skippedBytes: number
} {
  const told: Told[] = []
  const decoder = new TelnetDecoder({
    onData: (data) => {
      const last = told.at(-1)
      if (last?.kind === 'data') last.bytes.push(...data)
      else told.push({ kind: 'data', bytes: [...data] })
    },
    onNegotiation: (verb, option) => void told.push({ kind: 'negotiation', verb, option }),
    onSubnegotiation: (option, payload) =>
      void told.push({ kind: 'subnegotiation', option, bytes: [...payload] }),
  })
  for (const chunk of chunks) decoder.push(chunk)
  return { told, skippedBytes: decoder.skippedBytes }
}

function chunksOf(data: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (data.length + 1)))].sort((a, b) => a - b)
  return [0, ...places].map((start, index) => data.subarray(start, places[index] ?? data.length))
}

const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array))
/** Full of 255 and of commands, as noise seldom is. */
const nasty = fc
  .array(fc.oneof(fc.constantFrom(240, 250, 251, 252, 253, 254, 255), fc.nat({ max: 255 })), {
    maxLength: 400,
  })
  .map((array) => Buffer.from(array))
const cuts = fc.array(fc.nat({ max: 500 }), { maxLength: 20 })

const piece = fc.oneof(
  bytes
    .filter(({ length }) => length > 0)
    .map((data) => ({ told: { kind: 'data' as const, bytes: [...data] }, sent: escapeTelnet(data) })),
  fc
    .tuple(fc.constantFrom<typeof DO | typeof WILL>(DO, WILL), fc.nat({ max: 255 }))
    .map(([verb, option]) => ({
      told: { kind: 'negotiation' as const, verb, option },
      sent: negotiation(verb, option),
    })),
  fc.tuple(fc.nat({ max: 254 }), bytes).map(([option, payload]) => ({
    told: { kind: 'subnegotiation' as const, option, bytes: [...payload] },
    sent: subnegotiation(option, payload),
  })),
)

test('what was put in comes out, however it is chunked', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 10 }), cuts, (pieces, places) => {
      const expected: Told[] = []
      for (const { told } of pieces) {
        const last = expected.at(-1)
        if (told.kind === 'data' && last?.kind === 'data') last.bytes.push(...told.bytes)
        else expected.push(structuredClone(told))
      }
      const { told } = decode(chunksOf(Buffer.concat(pieces.map(({ sent }) => sent)), places))
      expect(told).toEqual(expected)
    }),
  )
})

test('any bytes are taken, however they are chunked, and give the same', () => {
  fc.assert(
    fc.property(nasty, cuts, (data, places) => {
      const whole = decode([data])
      expect(decode(chunksOf(data, places))).toEqual(whole)
      const out = whole.told.reduce((sum, one) => sum + ('bytes' in one ? one.bytes.length : 0), 0)
      expect(out).toBeLessThanOrEqual(data.length)
    }),
  )
})

test('a subnegotiation without end takes no memory, and the connection goes on behind it', () => {
  const endless = Buffer.concat([Buffer.of(IAC, 250, COM_PORT_OPTION), Buffer.alloc(1_000_000, 7)])

  const { told, skippedBytes } = decode([endless, Buffer.of(IAC, 240), Buffer.from('x')])

  expect(told).toEqual([{ kind: 'data', bytes: [120] }])
  expect(skippedBytes).toBeGreaterThan(999_000)
})

test('a subnegotiation that is cut off by another command is left out', () => {
  const { told, skippedBytes } = decode([Buffer.of(IAC, 250, 44, 101, IAC, DO, 1, 65)])

  expect(told).toEqual([
    { kind: 'negotiation', verb: DO, option: 1 },
    { kind: 'data', bytes: [65] },
  ])
  expect(skippedBytes).toBe(1)
})
