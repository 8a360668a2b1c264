import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { explainCases, loadCases } from './step-grammar.ts'

const good = { name: 'a', generation: 'v0.2.2', server: {}, steps: [{ do: 'wait', ms: 1 }] }

test('a good case has no mistakes', () => {
  expect(explainCases([good])).toStrictEqual([])
})

test.for([
  [{ ...good, steps: [{ do: 'jump' }] }, 'a: step 1: unknown step "jump"'],
  [{ ...good, steps: [{ do: 'wait', ms: '1' }] }, 'a: step 1: "ms" must be number'],
  [{ ...good, steps: [{ do: 'wait', ms: 1, mss: 2 }] }, 'a: step 1: unknown key "mss"'],
  [
    { ...good, steps: [{ do: 'closed', peer: 'A', wanted: { staus: 1 } }] },
    'a: step 1: closed cannot expect "staus"',
  ],
  [{ ...good, generation: 'v1' }, 'a: unknown generation'],
  [{ ...good, srever: {} }, 'a: unknown key "srever"'],
] as const)('%j is refused', ([wrong, sentence]) => {
  expect(explainCases([wrong])).toStrictEqual([sentence])
})

test('names are unique', () => {
  expect(explainCases([good, good])).toStrictEqual(['two cases are called "a"'])
})

test.for(['golden', 'cases'])('every file of cases in fixtures/%s can be replayed', (folder) => {
  const directory = new URL(`../../fixtures/${folder}/`, import.meta.url)
  const files = readdirSync(directory).filter((name) => name.endsWith('.json'))

  expect(files).not.toHaveLength(0)
  for (const file of files) expect(loadCases(new URL(file, directory)).length).toBeGreaterThan(0)
})
