import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readPlayScript } from './play-script.ts'

describe('a timed command file', () => {
  test('says what is sent and when', () => {
    const { steps, problems } = readPlayScript(
      [
        '# a comment',
        '',
        '{"cmd":"start"}',
        '[0.5s] {"cmd":"stop"}',
        '[1m30s]',
        '[2s]binary:AAEC',
        'plain text',
        '[1,2]',
        '[0s] # no comment',
      ].join('\r\n'),
    )

    expect(problems).toEqual([])
    expect(steps).toEqual([
      { line: 3, waitMs: 0, message: { data: '{"cmd":"start"}' } },
      { line: 4, waitMs: 500, message: { data: '{"cmd":"stop"}' } },
      { line: 5, waitMs: 90_000, message: undefined },
      { line: 6, waitMs: 2000, message: { data: Buffer.from([0, 1, 2]) } },
      { line: 7, waitMs: 0, message: { data: 'plain text' } },
      { line: 8, waitMs: 0, message: { data: '[1,2]' } },
      { line: 9, waitMs: 0, message: { data: '# no comment' } },
    ])
  })

  test('is told of all its problems, by line', () => {
    const { steps, problems } = readPlayScript('[5 s] x\nfine\n{"a":\n[1s] {x}\nbinary:???')

    expect(steps.map(({ line }) => line)).toEqual([2])
    expect(problems).toEqual([
      { line: 1, what: '"[5 s] x" is neither JSON nor a delay such as [0.5s]' },
      { line: 3, what: 'it begins like JSON and is none' },
      { line: 4, what: 'it begins like JSON and is none' },
      { line: 5, what: 'behind "binary:" there is no base64' },
    ])
  })

  test('a message that no relay takes is a problem', () => {
    expect(readPlayScript('x'.repeat(10_485_761)).problems).toEqual([
      { line: 1, what: 'it is longer than the 10 MiB that a relay takes' },
    ])
  })

  test('no text makes the reader throw, and every line is a step, a problem, or nothing', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('[', ']', '1', 's', '{', '}', '"', ' ', '\n', '#', 'b') }),
        (text) => {
          const { steps, problems } = readPlayScript(text)
          const lines = [...steps, ...problems].map(({ line }) => line)
          expect(new Set(lines).size).toBe(lines.length)
          expect(lines.every((line) => line >= 1 && line <= text.split('\n').length)).toBe(true)
        },
      ),
    )
  })
})
