import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseStatsReport } from './stats-report.ts'
import { bytesText, statsTable } from './stats-table.ts'

test('a report of ours tells role, bytes and state', () => {
  const report = parseStatsReport(
    JSON.stringify([
      {
        topic: 'pend00/c1',
        id: 'pend00',
        role: 'client',
        connected: '2026-11-22T10:00:00.5Z',
        connected_at: '2026-11-22T10:00:00.5Z',
        remoteAddr: '192.0.2.7',
        userAgent: 'relay-shell-client',
        session: 'live',
        bytesFrom: 1_572_864,
        bytesTo: 0,
      },
    ]),
  )

  expect(report).toEqual([
    {
      id: 'pend00',
      session: 'c1',
      role: 'client',
      since: '2026-11-22T10:00:00Z',
      remote: '192.0.2.7',
      program: 'relay-shell-client',
      bytesFrom: 1_572_864,
      bytesTo: 0,
      state: 'live',
    },
  ])
  expect(statsTable(report ?? [])).toContain('1.5 MiB')
})

test.each(['{"cmd":"update"}', '{"action":"disconnect","uri":"","uuid":"x"}', 'nonsense', ''])(
  '%s, which is heard on the topic too, is no report',
  (text) => {
    expect(parseStatsReport(text)).toBeUndefined()
  },
)

test('any JSON gives a table without an error', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), (elements) => {
      expect(statsTable(parseStatsReport(JSON.stringify(elements)) ?? [])).toMatch(/\n$/)
    }),
    { numRuns: 200, seed: 3 },
  )
})

test.each([
  [undefined, '-'],
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [5_000_000_000, '4.7 GiB'],
])('%s bytes read %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text)
})
