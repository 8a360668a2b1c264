import { expect, test } from 'vitest'
import type { GoldenCase, Step } from './golden-case.ts'
import { describeFailures, planReplay } from './replay.ts'

function makeCase(name: string, steps: readonly Step[], slow = false): GoldenCase {
  return { name, generation: 'v0.2.2', server: {}, steps, slow }
}

const quick = makeCase('quick', [{ do: 'closed', peer: 'A', wanted: { beforeMs: 5 } }])
const slow = makeCase('slow', [{ do: 'closed', peer: 'A', wanted: { afterMs: 5 } }], true)
const early = makeCase('early', [{ do: 'closed', peer: 'A', reference: { afterMs: 5 } }])
const pieces = makeCase('pieces', [
  { do: 'expectBytes', peer: 'A', bytes: [], reference: { minMessages: 2 } },
])
const lenient = makeCase('lenient', [{ do: 'closed', peer: 'A', reference: { afterMs: 5 }, wanted: {} }])

test('cases that judge moments run alone, slow ones before the rest', () => {
  const { alone, together } = planReplay([quick, early, pieces, slow, lenient])

  expect(alone).toStrictEqual([early, pieces])
  expect(together).toStrictEqual([slow, quick, lenient])
})

test('failures are told with their step, and no failure with nothing', () => {
  expect(describeFailures(quick, [])).toBe('')
  expect(describeFailures(quick, [{ stepNumber: 1, step: '{}', problems: ['a', 'b'] }])).toBe(
    'quick (v0.2.2)\n  step 1: {}\n    a\n    b',
  )
})
