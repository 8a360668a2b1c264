import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { escapePointer, pointerKeys, readYaml } from './read-yaml.ts'

const read = (text: string): ReturnType<typeof readYaml> => readYaml({ path: 'relay.yaml', text })

test('keys and list items know their lines', () => {
  const { tree, lines, problems } = read(
    'a: 1\n\n# note\nb:\n  c: [x,\n    y]\n  "d/e~f": {g: 2}\nlist:\n  - name: n\n  - 5\n',
  )

  expect(problems).toEqual([])
  expect(tree).toEqual({ a: 1, b: { c: ['x', 'y'], 'd/e~f': { g: 2 } }, list: [{ name: 'n' }, 5] })
  expect(Object.fromEntries(lines)).toEqual({
    '/a': 1,
    '/b': 4,
    '/b/c': 5,
    '/b/c/0': 5,
    '/b/c/1': 6,
    '/b/d~1e~0f': 7,
    '/b/d~1e~0f/g': 7,
    '/list': 8,
    '/list/0': 9,
    '/list/0/name': 9,
    '/list/1': 10,
  })
})

test.each(['', '\n', '# only a note\n', '---\n', 'null'])('%j is an empty configuration', (text) => {
  expect(read(text)).toEqual({ tree: {}, lines: new Map(), problems: [] })
})

test('aliases give copies: changing one place changes no other', () => {
  const { tree } = read('a: &x {port: 1}\nb: *x\n')

  expect(tree).toEqual({ a: { port: 1 }, b: { port: 1 } })
  expect(tree.a).not.toBe(tree.b)
})

test('a key such as __proto__ is a key and nothing else', () => {
  const { tree, lines } = read('__proto__: {polluted: 1}\nconstructor: 5\n')

  expect(Object.keys(tree)).toEqual(['__proto__', 'constructor'])
  expect(Object.getPrototypeOf(tree)).toBe(Object.prototype)
  expect(lines.get('/__proto__')).toBe(1)
})

const bomb = [
  'a: &a [x,x,x,x,x,x,x,x,x]',
  ...'bcdefgh'
    .split('')
    .map((name, at) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[at]}`).join(',')}]`),
].join('\n')

describe('what is wrong is told by line, in one sentence, without quoting the file', () => {
  test.each<readonly [string, string, string]>([
    [
      'a key twice',
      'port: 1\nsecret: hunter2\nport: 2\n',
      'relay.yaml line 3: this key stands there for the second time',
    ],
    ['a tab', 'a:\n\tb: 1\n', 'relay.yaml line 2: it is indented by a tab; use spaces'],
    [
      'a line without colon',
      'a: 1\nhunter2\nb: 2\n',
      'relay.yaml line 2: this is no "key: value" line, or the line before is indented wrongly',
    ],
    [
      'a colon in a text',
      'secret: hunter2: x\n',
      'relay.yaml line 1: it is indented wrongly, or a text with ": " needs quotes',
    ],
    [
      'an open quote',
      'secret: "hunter2\nb: 2\n',
      'relay.yaml line 3: a closing quote, a bracket or a colon is missing',
    ],
    [
      'an open bracket',
      'a: [1, 2\n',
      'relay.yaml line 2: it is indented wrongly, or a bracket before it was not closed',
    ],
    ['an open brace', '{a: 1,', 'relay.yaml line 1: a closing quote, a bracket or a colon is missing'],
    [
      'a wrong escape',
      'secret: "hunter2\\q"\n',
      'relay.yaml line 1: a "\\" in double quotes begins nothing that is known; use single quotes',
    ],
    [
      'a reserved first letter',
      'secret: @hunter2\n',
      'relay.yaml line 1: the text begins with a character that has a meaning of its own; put it in quotes',
    ],
    [
      'a percent sign first',
      'secret: %hunter2\n',
      'relay.yaml line 1: the text begins with a character that has a meaning of its own; put it in quotes',
    ],
    [
      'an exclamation mark first',
      'secret: !hunter2 x\n',
      'relay.yaml line 1: a text that begins with "!" needs quotes',
    ],
    [
      'a star first',
      'a: 1\nsecret: *hunter2\n',
      'relay.yaml line 2: it refers by "*" to a name that no "&" gives before; texts with "*" need quotes',
    ],
    [
      'two documents',
      'a: 1\n---\nb: 2\n',
      'relay.yaml line 2: a second document begins here ("---"); only one is allowed',
    ],
    ['a list', '- hunter2\n', 'relay.yaml: it must be a set of "key: value" lines'],
    ['one word', 'hunter2', 'relay.yaml: it must be a set of "key: value" lines'],
    [
      'an alias bomb',
      bomb,
      'relay.yaml: it is nested too deeply, or its aliases ("*") repeat too much or contain themselves',
    ],
    [
      'an alias that contains itself',
      'a: &a {b: *a}\n',
      'relay.yaml: it is nested too deeply, or its aliases ("*") repeat too much or contain themselves',
    ],
  ])('%s', (_name, text, sentence) => {
    const { tree, problems } = read(text)

    expect(problems.map(({ where, what }) => `${where}: ${what}`)[0]).toBe(sentence)
    expect(JSON.stringify(problems)).not.toContain('hunter2')
    expect(tree).toEqual({})
  })

  test('a file that is nested thousands deep is refused', () => {
    const { tree, problems } = read(`a: ${'['.repeat(20_000)}${']'.repeat(20_000)}`)
    expect(problems.map(({ what }) => what).join()).toContain('nested too deeply')
    expect(tree).toEqual({})
  })
})

test('any text is read or refused, and never quoted', { timeout: 60_000 }, () => {
  const word = fc.constantFrom(
    'hunter2',
    ':',
    ' ',
    '\n',
    '-',
    '  ',
    '[',
    ']',
    '{',
    '}',
    '"',
    "'",
    '*',
    '&',
    '!',
    '|',
    '>',
    '#',
    '%',
    '@',
    ',',
    '?',
    '\t',
    '---',
    '\\',
    '<<',
    '~',
  )
  const text = fc.oneof(
    fc.array(word, { maxLength: 25 }).map((words) => words.join('')),
    fc.string({ unit: 'binary' }),
  )
  fc.assert(
    fc.property(text, (file) => {
      const { problems } = read(file)
      expect(JSON.stringify(problems)).not.toContain('hunter2')
      for (const { what } of problems) expect(what).not.toContain('\n')
    }),
    { numRuns: 500 },
  )
})

test('the keys of a pointer are those it was made of', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: 4 }), (keys) => {
      expect(pointerKeys(keys.map((key) => `/${escapePointer(key)}`).join(''))).toEqual(keys)
    }),
  )
})
