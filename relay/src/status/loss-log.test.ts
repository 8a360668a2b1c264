import { createLog } from '@relay/common/log'
import { expect, test } from 'vitest'
import { newDeliveryTotals } from '../exchange/delivery-totals.ts'
import { LossLog } from './loss-log.ts'

test('one line tells what was lost since the last one, and none where it was nothing', () => {
  const lines: string[] = []
  const log = createLog({
    program: 'relay',
    level: 'warn',
    destination: { write: (line) => void lines.push(line) },
  })
  const totals = newDeliveryTotals()
  const closed = {
    expired: 0,
    denied: 0,
    retired: 0,
    slow: 0,
    stalled: 0,
    memory: 0,
    unfinished: 0,
    silent: 0,
    goingAway: 0,
    peer: 0,
  }
  const lossLog = new LossLog({ totals, closed }, log)
  lossLog.report()
  closed.peer = 5
  lossLog.report()
  expect(lines).toEqual([])

  totals.droppedMessages.slow = 70
  closed.stalled = 2
  lossLog.report()
  lossLog.report()

  expect(lines).toHaveLength(1)
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ droppedMessages: 70, closed_stalled: 2 })
})
