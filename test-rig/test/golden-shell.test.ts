import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadShellCases } from '../src/shell-golden/load-shell-cases.ts'
import type { ShellCase } from '../src/shell-golden/shell-case.ts'
import { ShellReplay } from '../src/shell-golden/shell-replay.ts'

const cases = loadShellCases(new URL('../fixtures/golden-shell/shell.json', import.meta.url))
const quick = cases.filter(({ slow }) => slow !== true)
const slow = cases.filter((golden) => golden.slow === true)
/** Slow cases wait for pings and codes of a minute and more by their own deadlines. */
const timeoutMs = 240_000

describe('what the old shell programs did, ours do too, or better where the transcript says so', () => {
  const replay = new ShellReplay()
  const running = new Map<ShellCase, Promise<readonly string[]>>()

  // Slow ones wait most of their time: they begin first, and the others run beside them.
  beforeAll(() => {
    for (const golden of slow) running.set(golden, replay.run(golden))
  })
  afterAll(async () => {
    await Promise.allSettled(running.values())
    await replay[Symbol.asyncDispose]()
  })

  describe.concurrent('side by side', () => {
    test.for(named(quick))('%s', { timeout: timeoutMs }, async ([, golden]) => {
      expect(await replay.run(golden)).toEqual([])
    })
  })

  test.for(named(slow))('%s', { timeout: timeoutMs }, async ([, golden]) => {
    expect(await running.get(golden)).toEqual([])
  })
})

function named(some: readonly ShellCase[]): readonly (readonly [string, ShellCase])[] {
  return some.map((golden) => [`${golden.generation}: ${golden.name}`, golden])
}
