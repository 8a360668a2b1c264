import fc from 'fast-check'
import { expect, test } from 'vitest'
import { resolveWord, unknownMark } from './resolve-word.ts'
import { parseShell } from './shell-words.ts'

const files: Readonly<Record<string, string>> = { '/etc/practable/video.token': 'a.b.c\n' }
const scope = {
  variables: new Map([
    ['HOST', 'localhost'],
    ['dir', '/etc/practable'],
  ]),
  readFile: (path: string) => (Object.hasOwn(files, path) ? files[path] : undefined),
}

function parse(text: string, kind: 'script' | 'unit' = 'script'): readonly (readonly string[])[] {
  return parseShell(text, { kind, firstLine: 1 }).map(({ words }) =>
    words.map((word) => resolveWord(word, scope)),
  )
}

test.each<[string, readonly (readonly string[])[]]>([
  ['a  b\tc', [['a', 'b', 'c']]],
  [`curl -d '{"a": "b c"}' "x y"`, [['curl', '-d', '{"a": "b c"}', 'x y']]],
  [`'a'"b"c`, [['abc']]],
  [`-d '{"t":"'"$HOST"'"}'`, [['-d', '{"t":"localhost"}']]],
  [`"{\\"a\\":\\"\${HOST}\\"}"`, [['{"a":"localhost"}']]],
  ['a \\\n  b', [['a', 'b']]],
  ['a # b\n# c\nd#e', [['a'], ['d#e']]],
  ['a; b && c || d | e & f', [['a'], ['b'], ['c'], ['d'], ['e'], ['f']]],
  ['a >/dev/null 2>&1 <in b', [['a', 'b']]],
  ['a $(cat /etc/practable/video.token)', [['a', 'a.b.c']]],
  ['a "$(cat $dir/video.token | tr -d \'\\n\')"', [['a', 'a.b.c']]],
  ['a `cat "$dir/video.token"` $(</etc/practable/video.token)', [['a', 'a.b.c', 'a.b.c']]],
  ['a $(date) $1 ${X} ${X:-y} $NONE', [['a', unknownMark, unknownMark, unknownMark, 'y', unknownMark]]],
  ["a ''", [['a', '']]],
])('%j is taken apart as the shell does', (text, commands) => {
  expect(parse(text)).toEqual(commands)
})

test('a here-document is the stdin of its command, with its variables unless its end is quoted', () => {
  const stdinOf = (text: string): readonly (string | undefined)[] =>
    parseShell(text, { kind: 'script', firstLine: 1 }).map(({ stdin }) =>
      stdin === undefined ? undefined : resolveWord(stdin, scope),
    )
  expect(stdinOf('curl -d @- x <<END\n{"h":"$HOST"}\nEND\nnext')).toEqual(['{"h":"localhost"}', undefined])
  expect(stdinOf('curl -d @- x <<\'END\'\n{"h":"$HOST"}\nEND')).toEqual(['{"h":"$HOST"}'])
})

test('the line of a command is that where it begins', () => {
  const lines = parseShell('a\n\n# x\nb \\\n c\n"d\ne"\nf $(cat\nx)\ng', { kind: 'script', firstLine: 1 })
  expect(lines.map(({ line }) => line)).toEqual([1, 4, 6, 8, 10])
})

test('command lines of units have no operators and no comments', () => {
  expect(parse('/bin/a ; # | "b c" $$x', 'unit')).toEqual([['/bin/a', ';', '#', '|', 'b c', '$x']])
})

test('text of any kind gives some commands, soon', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '$(',
      '`',
      "'",
      '"',
      '\\',
      '\n',
      '<<E',
      '${',
      '$',
      '>',
      '&',
      ')',
      '#',
      'E',
      ' ',
      '|',
      'cat ',
    ),
    fc.string({ maxLength: 8 }),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), fc.constantFrom('script', 'unit'), (pieces, kind) => {
      const commands = parse(pieces.join(''), kind)
      expect(Array.isArray(commands)).toBe(true)
    }),
    { numRuns: 500 },
  )
})

test.each(['$(', '`', '"$(', "'", '<<E\n', '${', 'a ', '\\'])(
  '64 KiB of %j take no longer than a moment',
  (part) => {
    const startedAtMs = performance.now()
    parse(part.repeat(65_536 / part.length))
    expect(performance.now() - startedAtMs).toBeLessThan(5_000)
  },
)
