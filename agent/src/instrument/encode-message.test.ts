import fc from 'fast-check'
import { expect, test } from 'vitest'
import { frameDecoder, type Framing } from './decode-frames.ts'
import { encodeMessage } from './encode-message.ts'

const lines: Framing = { kind: 'line', endIn: 'lf', endOut: 'lf', maxBytes: 100 }

function encode(text: string, framing: Framing): readonly string[] {
  return encodeMessage(Buffer.from(text), framing).map(String)
}

test.each([
  ['{"set":"mode"}', ['{"set":"mode"}\n']],
  ['{"a":1}{"b":2}', ['{"a":1}\n', '{"b":2}\n']],
  ['{\n  "a": 1\n}', ['{   "a": 1 }\n']],
  ['go\n', ['go\n']],
  ['go\r\nstop', ['go\n', 'stop\n']],
  ['go', ['go\n']],
  ['{"a":\n', ['{"a":\n']],
  ['', []],
  ['\n', []],
])('%j becomes the lines %j', (message, expected) => {
  expect(encode(message, lines)).toEqual(expected)
})

test.each([
  ['lf', 'go\n'],
  ['crlf', 'go\r\n'],
  ['cr', 'go\r'],
  ['none', 'go'],
] as const)('a command ends as the instrument wants it: %s', (endOut, expected) => {
  expect(encode('go', { ...lines, endOut })).toEqual([expected])
})

test('what is put behind its length is found again', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 255 }),
      fc.constantFrom<1 | 2 | 4>(1, 2, 4),
      fc.constantFrom<'big' | 'little'>('big', 'little'),
      (bytes, prefixBytes, order) => {
        const framing: Framing = { kind: 'length', prefixBytes, order, maxBytes: 255 }
        const found: Buffer[] = []
        for (const part of encodeMessage(Buffer.from(bytes), framing))
          frameDecoder(framing).push(part, (message) => void found.push(message))
        expect(found).toEqual([Buffer.from(bytes)])
      },
    ),
  )
})

test('what is too long for its length is left out', () => {
  expect(
    encodeMessage(Buffer.alloc(256), { kind: 'length', prefixBytes: 1, order: 'big', maxBytes: 1_000 }),
  ).toEqual([])
  expect(
    encodeMessage(Buffer.alloc(11), { kind: 'length', prefixBytes: 2, order: 'big', maxBytes: 10 }),
  ).toEqual([])
})

test('raw messages stay as they are', () => {
  expect(encode('{"a":1}{"b":2}', { kind: 'raw' })).toEqual(['{"a":1}{"b":2}'])
})
