import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { exitCode } from '../src/errors.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const readme = readFileSync(`${root}README.md`, 'utf8')
const sources = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .sort()
const textOf = (name: string): string => readFileSync(`${root}src/${name}`, 'utf8')

/** The first column of a table's rows whose header begins with `first`. */
function rowsOf(first: string): readonly string[][] {
  const [, table = ''] = readme.split(`| ${first} |`)
  const [body = ''] = table.split('\n\n', 1)
  return body
    .split('\n')
    .slice(2)
    .map((row) =>
      row
        .split('|')
        .map((cell) => cell.trim().replaceAll('`', ''))
        .slice(1, -1),
    )
}

/** Codes that are written where an error is made, and those that follow from the faults of a token. */
function codesOf(name: string): readonly string[] {
  const text = textOf(name)
  const written = [...text.matchAll(/(?:new \w+Error|super)\(\s*'([A-Z][A-Z_]+)'/g)].map(
    ([, code = '']) => code,
  )
  const [, faults = ''] = /export type TokenFault =((?:\s*\| '[a-z-]+')+)/.exec(text) ?? []
  const derived = [...faults.matchAll(/'([a-z-]+)'/g)].map(
    ([, fault = '']) => `TOKEN_${fault.replaceAll('-', '_').toUpperCase()}`,
  )
  return [...written, ...derived]
}

describe('the README', () => {
  test('names every file, and no other', () => {
    const named = rowsOf('file').map(([file = '']) => file)
    expect([...named].sort()).toEqual(['launch/launch.mjs', ...sources.map((name) => `src/${name}`)].sort())
  })

  test('lists every error code of the source, and no other', () => {
    const listed = rowsOf('code').map(([code]) => code)
    const used = [...new Set(sources.flatMap(codesOf))].sort()

    expect(used).toContain('TOKEN_EXPIRED')
    expect(used).toContain('PORT_IN_USE')
    expect(listed).toEqual(used)
  })

  test('says the exit codes', () => {
    for (const code of Object.values(exitCode))
      expect(readme).toMatch(new RegExp(`(?:Exit codes:|,|\\n) ?${code} `))
  })
})

test('no error is made without a code of its own', () => {
  // Errors that are wrapped or turned into a sentence before they leave their file, or tell a fault of their caller.
  const inner = new Set([
    'token/key-directory.ts',
    'config/read-yaml.ts',
    'fake-clock.ts',
    'proxy.ts',
    'tunnel/fake-tunnel.ts',
    'tunnel/replay-buffer.ts',
  ])
  const bare = sources.filter((name) =>
    /throw new (?:Range|Type)?Error\(|reject\(new Error\(/.test(textOf(name)),
  )

  expect(bare.filter((name) => !inner.has(name))).toEqual([])
})

test('nothing reads the environment of the process but the binding of a main program', () => {
  const readers = sources.filter((name) =>
    /process\.(?:env\b|argv|exit\b|stdin)|\benv, stdin\b/.test(textOf(name)),
  )
  expect(readers).toEqual(['run-main.ts'])
})
