import { expect, test } from 'vitest'
import { BINARY } from '@relay/common/server/websocket/frame-header'
import { Batch } from './batch.ts'
import { type MemoryHolder, relieveMemory } from './relieve-memory.ts'
import { type RetainedAccount, RetainedBytes } from './retained-bytes.ts'

interface Holder extends MemoryHolder {
  readonly name: string
  readonly batch: Batch
}

function setUp(maxBytes: number) {
  const retained = new RetainedBytes(maxBytes)
  const hold = (name: string, account: RetainedAccount, blockedSinceMs: number, bytes: number): Holder => {
    const payload = Buffer.alloc(bytes)
    const batch = new Batch([{ sender: undefined, opcode: BINARY, payload }], account)
    retained.hold(batch)
    return { name, account, blockedSinceMs, batch }
  }
  const relieve = (holders: readonly Holder[], nowMs: number): readonly string[] => {
    const cut: string[] = []
    relieveMemory(retained, holders, {
      nowMs,
      cut: ({ name, batch }) => {
        cut.push(name)
        retained.release(batch)
      },
    })
    return cut
  }
  return { retained, hold, relieve }
}

test('the topic that keeps the most gives back, its longest blocked readers first, and no more than needed', () => {
  const { retained, hold, relieve } = setUp(25_000)
  const [hostile, other] = [{ bytes: 0 }, { bytes: 0 }]
  const holders = [
    hold('other', other, 0, 9000),
    hold('hostile 2', hostile, 200, 9000),
    hold('hostile 1', hostile, 100, 9000),
    hold('hostile 3', hostile, 300, 9000),
  ]

  expect(relieve(holders, 10_000)).toEqual(['hostile 1', 'hostile 2'])
  expect(retained.bytes).toBeLessThanOrEqual(25_000)
})

test('nobody whose socket was free within the last second is cut, and nobody of a smaller topic in its place', () => {
  const { hold, relieve } = setUp(10_000)
  const holders = [hold('fresh', { bytes: 0 }, 9500, 9000), hold('smaller', { bytes: 0 }, 0, 5000)]

  expect(relieve(holders, 10_000)).toEqual([])
  expect(relieve(holders, 10_500)).toEqual(['fresh'])
})

test('nothing is cut while the limit is kept', () => {
  const { hold, relieve } = setUp(10_000)

  expect(relieve([hold('one', { bytes: 0 }, 0, 9000)], 10_000)).toEqual([])
})
