import { FakeClock } from '@relay/common/fake-clock'
import { createLog } from '@relay/common/log'
import { expect, test } from 'vitest'
import { DropReport } from './drop-report.ts'

function setUp() {
  const lines: { readonly dropped: Readonly<Record<string, number>>; readonly uplink: string }[] = []
  const log = createLog({
    program: 'test',
    level: 'info',
    destination: { write: (line) => void lines.push(JSON.parse(line) as (typeof lines)[number]) },
  })
  const clock = new FakeClock()
  return { lines, clock, report: new DropReport({ uplink: 'u' }, { clock, log }) }
}

test('losses are told in one line, counted by reason', async () => {
  const { lines, clock, report } = setUp()
  for (let count = 0; count < 50; count++) report.count('slow')
  report.count('old')

  await clock.advance(2_000)

  expect(lines.map(({ dropped, uplink }) => ({ dropped, uplink }))).toEqual([
    { dropped: { slow: 50, old: 1 }, uplink: 'u' },
  ])
})

test('a loss that goes on for an hour makes few lines, and none is left out', async () => {
  const { lines, clock, report } = setUp()
  for (let second = 0; second < 3_600; second++) {
    report.count('slow')
    await clock.advance(1_000)
  }
  report.stop()

  expect(lines.length).toBeLessThan(20)
  expect(lines.reduce((sum, { dropped }) => sum + (dropped.slow ?? 0), 0)).toBe(3_600)
})

test('after a quiet time the next loss is told soon again', async () => {
  const { lines, clock, report } = setUp()
  report.count('slow')
  await clock.advance(3_600_000)
  report.count('slow')
  await clock.advance(2_000)

  expect(lines).toHaveLength(2)
})

test('nothing is left running after it was stopped', async () => {
  const { clock, report } = setUp()
  report.count('slow')
  report.stop()

  expect(clock.pending).toBe(0)
  await clock.advance(10_000)
})
