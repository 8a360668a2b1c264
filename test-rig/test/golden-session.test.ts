import { afterAll, describe, expect, test } from 'vitest'
import { ownCommands } from '../src/golden/program-commands.ts'
import { describeFailures, Replay, slowFirst } from '../src/golden/replay.ts'
import { loadCases } from '../src/golden/step-grammar.ts'

const cases = loadCases(new URL('../fixtures/golden/session.json', import.meta.url))
/** One case waits for a ping and a drop: 130 s by its own deadlines, and it begins first. */
const timeoutMs = 180_000

describe.concurrent('what the old programs did, ours do too, or better where the transcript says so', () => {
  const replay = new Replay({ commands: ownCommands, side: 'wanted' })

  afterAll(() => replay[Symbol.asyncDispose]())

  test.for(slowFirst(cases).map((golden) => ({ golden, name: golden.name })))(
    '$name',
    { timeout: timeoutMs },
    async ({ golden }) => {
      expect(describeFailures(golden, await replay.run(golden))).toBe('')
    },
  )
})
