import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { GoldenCase } from '../src/golden/golden-case.ts'
import { ownCommands } from '../src/golden/program-commands.ts'
import { describeFailures, planReplay, Replay } from '../src/golden/replay.ts'
import { loadCases } from '../src/golden/step-grammar.ts'

const golden = loadCases(new URL('../fixtures/golden/session.json', import.meta.url))
const extra = loadCases(new URL('../fixtures/cases/session-extra.json', import.meta.url))
/** By row: the transcripts that show it, or why nothing can. */
const rowsInGolden = new Map<string, readonly string[] | string>(
  Object.entries(
    JSON.parse(
      readFileSync(new URL('../fixtures/coverage/rows-in-golden.json', import.meta.url), 'utf8'),
    ) as Readonly<Record<string, readonly string[] | string>>,
  ),
)
const rowsInExtra = new Set(extra.flatMap(({ source = [] }) => [source].flat()))

/** Tables of the specification of the session side with the number of their rows. */
const tables = [
  ['11', 26],
  ['11 host', 12],
  ['4.2', 13],
  ['6.1', 3],
  ['6.7', 7],
  ['7.1', 15],
  ['7.7', 15],
  ['10.4 cases', 3],
  ['10.4 endpoints', 5],
] as const
const rows = tables.flatMap(([table, count]) =>
  Array.from({ length: count }, (_unused, index) => `${table} #${String(index + 1)}`),
)

test.for(rows)('row %s of the specification is shown by a case', (row) => {
  const shown = rowsInGolden.has(row) || rowsInExtra.has(row)

  expect(shown).toBe(true)
})

test('what is said to show a row is there, and speaks of rows that exist', () => {
  const names = new Set(golden.map(({ name }) => name))
  const unknownCases = [...rowsInGolden.values()].flatMap((value) =>
    typeof value === 'string' ? [] : value.filter((name) => !names.has(name)),
  )
  const numbered = [...rowsInGolden.keys(), ...rowsInExtra].filter((row) => row.includes('#'))

  expect(unknownCases).toStrictEqual([])
  expect(numbered.filter((row) => !rows.includes(row))).toStrictEqual([])
})

test('every case of our own names what it was written for', () => {
  expect(extra.filter(({ source }) => source === undefined)).toStrictEqual([])
})

describe('what the specification says and no transcript shows', () => {
  const { alone, together } = planReplay(extra)
  let replay: Replay

  beforeAll(() => {
    replay = new Replay({ commands: ownCommands, side: 'wanted' })
  })
  afterAll(() => replay[Symbol.asyncDispose]())

  async function expectSame(each: GoldenCase): Promise<void> {
    expect(describeFailures(each, await replay.run(each))).toBe('')
  }

  // Others may starve the machine while a moment is judged: what is right is right in one of three quiet tries.
  test.for(named(alone))('$name', { retry: 2 }, ({ each }) => expectSame(each))

  describe.concurrent('side by side', () => {
    test.for(named(together))('$name', ({ each }) => expectSame(each))
  })
})

function named(some: readonly GoldenCase[]) {
  return some.map((each) => ({ name: each.name, each }))
}
