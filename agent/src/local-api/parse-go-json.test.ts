import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type GoJson, parseGoJson } from './parse-go-json.ts'

function errorOf(text: string | Uint8Array): string | undefined {
  const parsed = parseGoJson(typeof text === 'string' ? Buffer.from(text) : text)
  return parsed.ok ? undefined : parsed.error
}

/** The plain value, numbers and booleans apart, which this parser does not keep. */
function plain(value: GoJson): unknown {
  switch (value.kind) {
    case 'string':
      return value.text
    case 'array':
      return value.items.map((item) => plain(item))
    case 'object':
      return Object.fromEntries(value.entries.map(([key, entry]) => [key, plain(entry)]))
    case 'null':
    case 'bool':
    case 'number':
      return value.kind
    default:
      return value satisfies never
  }
}

describe('errors have the words of the Go parser', () => {
  test.each([
    ['', 'unexpected end of JSON input'],
    ['  ', 'unexpected end of JSON input'],
    ['{', 'unexpected end of JSON input'],
    ['{"a":', 'unexpected end of JSON input'],
    ['"abc', 'unexpected end of JSON input'],
    ['nul', 'unexpected end of JSON input'],
    ['nope', "invalid character 'o' in literal null (expecting 'u')"],
    ['trve', "invalid character 'v' in literal true (expecting 'u')"],
    ['fals3', "invalid character '3' in literal false (expecting 'e')"],
    ['hello', "invalid character 'h' looking for beginning of value"],
    ['Not even JSON', "invalid character 'N' looking for beginning of value"],
    ["'a'", "invalid character '\\'' looking for beginning of value"],
    ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b":2}', "invalid character '\"' after object key:value pair"],
    ['[1 2]', "invalid character '2' after array element"],
    ['[1,]', "invalid character ']' looking for beginning of value"],
    ['{} x', "invalid character 'x' after top-level value"],
    ['01', "invalid character '1' after top-level value"],
    ['-x', "invalid character 'x' in numeric literal"],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
    ['1ex', "invalid character 'x' in exponent of numeric literal"],
    ['"a\nb"', "invalid character '\\n' in string literal"],
    ['"a\u0001b"', "invalid character '\\x01' in string literal"],
    ['"\\q"', "invalid character 'q' in string escape code"],
    ['"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"],
  ])('%j', (text, expected) => {
    expect(errorOf(text)).toBe(expected)
  })

  test('a byte that is no ASCII is shown as its Latin-1 character', () => {
    expect(errorOf(Buffer.from([0xef, 0xbb, 0xbf, 0x7b, 0x7d]))).toBe(
      "invalid character 'ï' looking for beginning of value",
    )
    expect(errorOf(Buffer.from([0x80]))).toBe("invalid character '\\u0080' looking for beginning of value")
  })

  test('nesting without end is refused and does not exhaust the stack', () => {
    expect(errorOf('['.repeat(100_000))).toBe('exceeded max depth')
    expect(errorOf(`${'['.repeat(150)}${']'.repeat(150)}`)).toBeUndefined()
  })
})

test('any JSON text gives what JSON.parse gives', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
      const text = JSON.stringify(value, undefined, indent)
      const parsed = parseGoJson(Buffer.from(text))
      const expected: unknown = JSON.parse(text, (_, item: unknown) => {
        if (item === null) return 'null'
        return typeof item === 'number' || typeof item === 'boolean' ? (typeof item).slice(0, 6) : item
      })
      const shown = JSON.stringify(expected).replaceAll('"boolea"', '"bool"')
      return parsed.ok && JSON.stringify(plain(parsed.value)) === JSON.stringify(JSON.parse(shown))
    }),
    { numRuns: 300 },
  )
})

test('a changed text is accepted exactly when JSON.parse accepts it', () => {
  const mutated = fc
    .tuple(
      fc.jsonValue({ maxDepth: 3 }),
      fc.nat(),
      fc.constantFrom('', '"', '{', ']', ',', ':', '0', '-', '.', 'e', '\\', 'u'),
    )
    .map(([value, at, insert]) => {
      const text = JSON.stringify(value)
      const where = at % (text.length + 1)
      return text.slice(0, where) + insert + text.slice(where + (at % 2))
    })
  fc.assert(
    fc.property(mutated, (text) => parseGoJson(Buffer.from(text)).ok === isJson(text)),
    { numRuns: 2_000 },
  )
})

test('random bytes never make it throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => typeof parseGoJson(bytes).ok === 'boolean'),
    { numRuns: 2_000 },
  )
})

test('keys keep their order and their repetitions', () => {
  const parsed = parseGoJson(Buffer.from('{"b":1,"a":"x","b":null}'))
  expect(parsed).toEqual({
    ok: true,
    value: {
      kind: 'object',
      entries: [
        ['b', { kind: 'number' }],
        ['a', { kind: 'string', text: 'x' }],
        ['b', { kind: 'null' }],
      ],
    },
  })
})

test('half of a surrogate pair becomes the replacement character', () => {
  expect(parseGoJson(Buffer.from('"\\ud800x\\ud83d\\ude00"'))).toEqual({
    ok: true,
    value: { kind: 'string', text: '\ufffdx😀' },
  })
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
