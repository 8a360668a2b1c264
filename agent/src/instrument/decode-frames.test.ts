import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isLetGo } from '../../test/is-let-go.ts'
import { type FrameDecoder, frameDecoder, type Framing, type LineEnd } from './decode-frames.ts'

function decode(
  framing: Framing,
  chunks: readonly Buffer[],
): { readonly messages: readonly Buffer[]; readonly decoder: FrameDecoder } {
  const decoder = frameDecoder(framing)
  const messages: Buffer[] = []
  for (const chunk of chunks) decoder.push(chunk, (message) => void messages.push(Buffer.from(message)))
  return { messages, decoder }
}

function chunksOf(data: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (data.length + 1)))].sort((a, b) => a - b)
  return [0, ...places].map((start, index) => data.subarray(start, places[index] ?? data.length))
}

const cuts = fc.array(fc.nat({ max: 5_000 }), { maxLength: 20 })

function lines(endIn: LineEnd, maxBytes = 1_000): Framing {
  return { kind: 'line', endIn, endOut: 'lf', maxBytes }
}

describe('lines', () => {
  const ends: Readonly<Record<Exclude<LineEnd, 'any'>, string>> = { lf: '\n', cr: '\r', crlf: '\r\n' }
  const line = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
    .filter((text) => !/[\r\n]/.test(text))

  test.each(Object.entries(ends))(
    'ended by %s come out one by one, however they are chunked',
    (end, mark) => {
      fc.assert(
        fc.property(fc.array(line, { maxLength: 10 }), cuts, (texts, places) => {
          const data = Buffer.from(texts.map((text) => text + mark).join(''))
          const { messages } = decode(lines(end as LineEnd), chunksOf(data, places))
          expect(messages.map(String)).toEqual(texts.map((text) => Buffer.from(text).toString()))
        }),
      )
    },
  )

  test('of any end come out the same whichever they use', () => {
    const { messages } = decode(lines('any'), [Buffer.from('a\nb\r\nc\rd\n\n\re')])

    expect(messages.map(String)).toEqual(['a', 'b', 'c', 'd'])
  })

  test('ended by crlf may hold either of the two alone', () => {
    const { messages } = decode(lines('crlf'), [Buffer.from('a\nb\rc\r'), Buffer.from('\nd\r\n')])

    expect(messages.map(String)).toEqual(['a\nb\rc', 'd'])
  })

  test('that are too long are cut, counted, and the next one is whole', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<LineEnd>('any', 'lf', 'cr', 'crlf'),
        fc.array(fc.nat({ max: 60 }), { minLength: 1, maxLength: 8 }),
        cuts,
        (endIn, lengths, places) => {
          const mark = endIn === 'any' ? '\n' : ends[endIn]
          const texts = lengths.filter((length) => length > 0).map((length) => 'x'.repeat(length))
          const data = Buffer.from(texts.map((text) => text + mark).join(''))
          const { messages, decoder } = decode(lines(endIn, 20), chunksOf(data, places))
          expect(messages.map(String)).toEqual(texts.map((text) => text.slice(0, 20)))
          expect(decoder.counters.cutLines).toBe(texts.filter((text) => text.length > 20).length)
        },
      ),
    )
  })

  test('that never end are cut and fill no memory', () => {
    const { messages, decoder } = decode(
      lines('lf', 20),
      Array.from({ length: 1_000 }, () => Buffer.alloc(1_000, 'x')),
    )

    expect(messages.map(String)).toEqual(['x'.repeat(20)])
    expect(decoder.counters.cutLines).toBe(1)
  })

  test('that are no UTF-8 are repaired and counted, as a browser would close on them', () => {
    const { messages, decoder } = decode(lines('lf'), [Buffer.from([0x61, 0xff, 0x62, 0x0a])])

    expect(messages.map(String)).toEqual(['a\ufffdb'])
    expect(decoder.counters.repairedLines).toBe(1)
  })
})

describe('messages behind their length', () => {
  const framings = fc.record({
    kind: fc.constant('length' as const),
    prefixBytes: fc.constantFrom<1 | 2 | 4>(1, 2, 4),
    order: fc.constantFrom<'big' | 'little'>('big', 'little'),
    maxBytes: fc.constant(200),
  })
  const message = fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes))

  test('come out as they went in, however they are chunked', () => {
    fc.assert(
      fc.property(framings, fc.array(message, { maxLength: 8 }), cuts, (framing, sent, places) => {
        const data = Buffer.concat(
          sent.flatMap((bytes) => {
            const prefix = Buffer.alloc(framing.prefixBytes)
            if (framing.order === 'big') prefix.writeUIntBE(bytes.length, 0, framing.prefixBytes)
            else prefix.writeUIntLE(bytes.length, 0, framing.prefixBytes)
            return [prefix, bytes]
          }),
        )
        const { messages, decoder } = decode(framing, chunksOf(data, places))
        expect(messages).toEqual(sent)
        expect(decoder.counters.skippedBytes).toBe(0)
      }),
    )
  })

  test('a length that cannot be is skipped byte by byte and counted', () => {
    const framing: Framing = { kind: 'length', prefixBytes: 2, order: 'big', maxBytes: 10 }

    const { messages, decoder } = decode(framing, [Buffer.from([0xff, 0xff, 0xff, 0, 2, 0x61, 0x62])])

    expect(messages.map(String)).toEqual(['ab'])
    expect(decoder.counters.skippedBytes).toBe(3)
  })
})

test('raw bytes come out as they come in', () => {
  const chunks = [Buffer.from('a'), Buffer.from('bc')]

  expect(decode({ kind: 'raw' }, chunks).messages).toEqual(chunks)
})

test.each<[string, Framing, readonly number[]]>([
  ['a line', lines('lf'), [0x41, 0x0a]],
  ['a length and its bytes', { kind: 'length', prefixBytes: 1, order: 'big', maxBytes: 10 }, [1, 0x41]],
])('a chunk that ends with %s is held by nothing once that is out', async (_case, framing, bytes) => {
  const decoder = frameDecoder(framing)
  const push = (): WeakRef<object> => {
    const chunk = Buffer.from(new Uint8Array(bytes).buffer)
    let count = 0
    decoder.push(chunk, () => {
      count += 1
    })
    expect(count).toBe(1)
    return new WeakRef(chunk.buffer)
  }

  expect(await isLetGo(push())).toBe(true)
  expect(decoder.counters.skippedBytes).toBe(0)
})
