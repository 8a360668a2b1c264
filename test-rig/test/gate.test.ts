import { join } from 'node:path'
import { expect, test } from 'vitest'

const checkout = join(import.meta.dirname, '..', '..')
const gate: string = join(checkout, 'provisioning', 'developer', 'gate.mjs')

test('the gate tells what was skipped and why, once for each suite', async () => {
  const { skippedLines } = (await import(gate)) as { skippedLines: (report: unknown) => readonly string[] }
  const result = (status: string, suite: string, title: string): unknown => ({
    status,
    ancestorTitles: [suite],
    title,
  })

  const lines = skippedLines({
    testResults: [
      {
        name: join(checkout, 'systemd/test/a.test.ts'),
        assertionResults: [
          result('skipped', 'the units (skipped: it needs root)', 'one'),
          result('pending', 'the units (skipped: it needs root)', 'two'),
          result('passed', 'others', 'three'),
        ],
      },
      {
        name: join(checkout, 'agent/test/b.test.ts'),
        assertionResults: [result('skipped', 'tokens', 'are hidden (skipped: it needs root)')],
      },
    ],
  })

  expect(lines).toEqual([
    'skipped 2: systemd/test/a.test.ts: the units (skipped: it needs root)',
    'skipped 1: agent/test/b.test.ts: are hidden (skipped: it needs root)',
  ])
})
