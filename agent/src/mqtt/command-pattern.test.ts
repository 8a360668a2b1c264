import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CommandPattern, parseCommandPattern } from './command-pattern.ts'

function read(text: string): CommandPattern {
  const parsed = parseCommandPattern(text)
  if (!parsed.ok) throw new Error(parsed.problem)
  return parsed.pattern
}

function valuesOf(pattern: string, command: unknown): unknown {
  const values = read(pattern).match(command)
  return values === undefined ? undefined : Object.fromEntries(values)
}

describe('a pattern', () => {
  test.each([
    ['{"a":1}', { a: 1, more: true }, {}],
    ['{"a":${v:number}}', { a: 1.5 }, { v: 1.5 }],
    ['{"a":{"b":[${v:integer 0..5},"x"]}}', { a: { b: [5, 'x'] } }, { v: 5 }],
    ['{"a":${v:word on|off}}', { a: 'on' }, { v: 'on' }],
    ['{"a":${v:string 2..3}}', { a: 'abc' }, { v: 'abc' }],
    ['{"a":${v:boolean},"b":${w:json}}', { a: false, b: null }, { v: false, w: null }],
    ['"go"', 'go', {}],
  ])('%s fits %j', (pattern, command, values) => {
    expect(valuesOf(pattern, command)).toEqual(values)
  })

  test.each([
    ['{"a":1}', { a: 2 }],
    ['{"a":1}', []],
    ['{"a":1}', null],
    ['{"a":[1]}', { a: [1, 2] }],
    ['{"toString":${v:json}}', {}],
    ['{"a":${v:number}}', { a: '1' }],
    ['{"a":${v:number -1..1}}', { a: 1.01 }],
    ['{"a":${v:number}}', { a: Number.POSITIVE_INFINITY }],
    ['{"a":${v:integer}}', { a: 1.5 }],
    ['{"a":${v:word}}', { a: 'a/b' }],
    ['{"a":${v:word}}', { a: '' }],
    ['{"a":${v:word on|off}}', { a: 'onx' }],
    ['{"a":${v:string 2..3}}', { a: 'a' }],
    ['{"a":${v:string}}', { a: 'x'.repeat(257) }],
    ['{"a":${v:boolean}}', { a: 1 }],
  ])('%s does not fit %j', (pattern, command) => {
    expect(valuesOf(pattern, command)).toBeUndefined()
  })

  test.each([
    ['go', /not JSON/],
    ['{"a":"${v:word}"}', /within a string/],
    ['{"a":${v}}', /the types are/],
    ['{"a":${v:float}}', /the types are/],
    ['{"a":${v:number 5..1}}', /no limit of number/],
    ['{"a":${v:word a/b}}', /no limit of word/],
    ['{"a":${v:boolean yes}}', /no limit of boolean/],
    ['{"a":${v:word},"b":${v:word}}', /two holes/],
  ])('%s is refused with the reason', (text, problem) => {
    expect(parseCommandPattern(text)).toMatchObject({
      ok: false,
      problem: expect.stringMatching(problem) as string,
    })
  })

  test('gives for a topic nothing but letters, digits, _ and -, whatever is sent', () => {
    const pattern = read('{"rig":${rig:word}}')
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue()), (rig) => {
        const value = pattern.match({ rig })?.get('rig')
        expect(value === undefined || /^"[A-Za-z0-9_-]{1,64}"$/.test(JSON.stringify(value))).toBe(true)
      }),
    )
  })
})
