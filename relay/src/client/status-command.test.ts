import { expect, test } from 'vitest'
import { statusTable } from './status-command.ts'

test('connections are listed by topic, in columns', () => {
  const table = statusTable([
    { topic: 'spin30-video', scopes: ['read'], can_read: true, connected_at: '2026-11-22T12:00:00Z' },
    { topic: 'spin30-data', scopes: [], can_write: true, remote_addr: '192.0.2.7', user_agent: 'Firefox' },
  ])

  expect(table).toBe(
    [
      'TOPIC         MAY  SINCE                 UNTIL  FROM       PROGRAM',
      'spin30-data   -w   -                     -      192.0.2.7  Firefox',
      'spin30-video  r-   2026-11-22T12:00:00Z  -      -          -',
      '',
    ].join('\n'),
  )
})

test('what strangers chose cannot move the cursor of a terminal', () => {
  const table = statusTable([{ topic: 't', scopes: [], user_agent: 'a\u001b[2Jb\nc' }])

  expect(table).toContain('a?[2Jb?c')
})
