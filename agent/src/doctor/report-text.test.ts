import { expect, test } from 'vitest'
import type { DoctorReport } from './examine.ts'
import { reportText } from './report-text.ts'

const report: DoctorReport = {
  version: '1.0.0',
  at: '2027-05-01T00:00:00.000Z',
  configFile: '/etc/relay-agent/agent.yaml',
  counts: { ok: 1, unknown: 0, warning: 1, problem: 1 },
  areas: [
    {
      area: 'clock',
      tookMs: 1,
      verdicts: [{ level: 'problem', what: 'it is \u001B[2J1970', advice: 'set it' }],
    },
    { area: 'disk', tookMs: 1, verdicts: [{ level: 'ok', what: 'there is room' }] },
    {
      area: 'power',
      tookMs: 1,
      verdicts: [{ level: 'warning', what: 'it was low', advice: 'another supply' }],
    },
  ],
}

test('verdicts stand in groups, the worst last, with what to do, and no control characters of strangers', () => {
  expect(reportText(report, { hasColours: false })).toBe(`relay-agent 1.0.0, 2027-05-01T00:00:00.000Z

All right
  + disk: there is room

Warnings
  ! power: it was low
      -> another supply

Problems
  X clock: it is  [2J1970
      -> set it

1 problem, 1 warning.
`)
})

test('colours are only there when asked for', () => {
  expect(reportText(report, { hasColours: true })).toContain('\u001B[31mProblems\u001B[0m')
})
