import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { GoldenCase } from '../src/golden/golden-case.ts'
import { ownCommands } from '../src/golden/program-commands.ts'
import { describeFailures, planReplay, Replay } from '../src/golden/replay.ts'
import { loadCases } from '../src/golden/step-grammar.ts'

const cases = loadCases(new URL('../fixtures/golden/session.json', import.meta.url))
const { alone, together } = planReplay(cases)
/** One case waits for a ping and a drop: 130 s by its own deadlines, and it begins first. */
const timeoutMs = 180_000

describe('what the old programs did, ours do too, or better where the transcript says so', () => {
  let replay: Replay

  beforeAll(() => {
    replay = new Replay({ commands: ownCommands, side: 'wanted' })
  })
  afterAll(() => replay[Symbol.asyncDispose]())

  async function expectSame(golden: GoldenCase): Promise<void> {
    expect(describeFailures(golden, await replay.run(golden))).toBe('')
  }

  // Others may starve the machine while a moment is judged: what is right is right in one of three quiet tries.
  test.for(named(alone))('$name', { timeout: timeoutMs, retry: 2 }, ({ golden }) => expectSame(golden))

  describe.concurrent('side by side', () => {
    test.for(named(together))('$name', { timeout: timeoutMs }, ({ golden }) => expectSame(golden))
  })
})

function named(some: readonly GoldenCase[]) {
  return some.map((golden) => ({ name: golden.name, golden }))
}
