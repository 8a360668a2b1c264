import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BINARY, TEXT } from '@relay/common/server/websocket/frame-header'
import { Batch } from './batch.ts'
import { newDeliveryTotals } from './delivery-totals.ts'
import { type ByteSink, OutboundQueue } from './outbound-queue.ts'
import { RetainedBytes } from './retained-bytes.ts'
import { ByteLimitPolicy } from './slow-reader-policy.ts'

/** A socket that takes `roomBytes` and then is full until `drain`. */
class FakeSink implements ByteSink {
  readonly written: Buffer[] = []
  readonly #roomBytes: number
  writableLength = 0
  writableNeedDrain = false

  constructor(roomBytes: number) {
    this.#roomBytes = roomBytes
  }

  write(bytes: Uint8Array): boolean {
    this.written.push(Buffer.from(bytes))
    this.writableLength += bytes.length
    this.writableNeedDrain = this.writableLength >= this.#roomBytes
    return !this.writableNeedDrain
  }

  drain(): void {
    this.writableLength = 0
    this.writableNeedDrain = false
  }

  get text(): string {
    return Buffer.concat(this.written).toString('latin1')
  }
}

function setUp({ roomBytes = 50, maxBufferedBytes = 600, maxRetainedBytes = 10_000 } = {}) {
  const sink = new FakeSink(roomBytes)
  const totals = newDeliveryTotals()
  const retained = new RetainedBytes(maxRetainedBytes)
  const policy = new ByteLimitPolicy({ maxBufferedBytes, maxBufferedTextBytes: 1050, stalledAfterMs: 10_000 })
  const queue = new OutboundQueue(sink, { policy, totals, retained })
  const offer = (opcode: typeof TEXT | typeof BINARY, ...payloads: readonly string[]): boolean => {
    const batch = new Batch(
      payloads.map((text) => ({ sender: undefined, opcode, payload: Buffer.from(text) })),
    )
    return queue.offer(batch, 0, batch.count, 0)
  }
  return { sink, totals, retained, queue, offer }
}

const long = (letter: string): string => letter.repeat(60)

describe('an outbound queue', () => {
  test('writes a batch in one piece while the socket takes it', () => {
    const { sink, queue, offer, totals } = setUp({ roomBytes: 1000 })

    offer(BINARY, 'a', 'b', 'c')

    expect(sink.written).toHaveLength(1)
    expect(queue).toMatchObject({ deliveredMessages: 3, deliveredBytes: 3, waitingBytes: 9 })
    expect(totals).toMatchObject({ offeredMessages: 3, deliveredMessages: 3, queuedMessages: 0 })
  })

  test('keeps what comes while the socket is full, and goes on in order when it has drained', () => {
    const { sink, queue, offer, retained } = setUp()
    offer(BINARY, long('a'))
    offer(BINARY, long('b'))
    offer(BINARY, 'c')
    expect(sink.text).not.toContain('b')
    expect(retained.bytes).toBeGreaterThan(62 + 3)

    sink.drain()
    queue.drained(1)

    expect(sink.text.replaceAll(/[^abc]/g, '')).toBe(long('a') + long('b'))
    sink.drain()
    queue.drained(2)
    expect(sink.text.endsWith('c')).toBe(true)
    expect(retained.bytes).toBe(0)
  })

  test('skips whole binary messages over the limit, and takes those that fit', () => {
    const { sink, queue, offer, totals } = setUp({ maxBufferedBytes: 450 })
    offer(BINARY, long('a'))
    offer(BINARY, long('b'))

    expect(offer(BINARY, long('c'), 'd'.repeat(200), 'e')).toBe(true)

    expect(queue.droppedMessages).toBe(1)
    expect(totals.droppedMessages.slow).toBe(1)
    sink.drain()
    queue.drained(0)
    sink.drain()
    queue.drained(0)
    sink.drain()
    queue.drained(0)
    expect(sink.text).not.toContain('d')
    expect(sink.text).toContain('e')
  })

  test('never drops text silently: over the limit the reader is given up', () => {
    const { offer, totals } = setUp()
    offer(TEXT, long('a'))
    for (let i = 0; i < 5; i++) expect(offer(TEXT, long('b'))).toBe(true)

    expect(offer(TEXT, long('c'), 'd')).toBe(false)

    expect(totals.droppedMessages.slow).toBe(2)
  })

  test('takes one message of any size while the socket is free', () => {
    const { sink, offer } = setUp({ maxBufferedBytes: 10 })

    expect(offer(BINARY, 'x'.repeat(5000))).toBe(true)

    expect(sink.writableLength).toBeGreaterThan(5000)
  })

  test('counts what fills the socket as kept, until the socket has passed it on or is gone', () => {
    const { sink, queue, offer, retained } = setUp()
    offer(BINARY, long('a'))
    expect(retained.bytes).toBeGreaterThan(60)
    expect(queue.account?.bytes).toBe(retained.bytes)

    sink.drain()
    queue.drained(0)

    expect(retained.bytes).toBe(0)
    expect(queue.account).toBeUndefined()
    offer(BINARY, long('b'))
    queue.discard()
    expect(retained.bytes).toBeGreaterThan(60)
    queue.ended()
    expect(retained.bytes).toBe(0)
  })

  test('is stalled when a full socket takes nothing for longer than the policy grants', () => {
    const { sink, queue, offer } = setUp()
    expect(queue.isStalled(1e9)).toBe(false)
    offer(BINARY, long('a'))

    expect(queue.isStalled(10_000)).toBe(false)
    expect(queue.isStalled(10_100)).toBe(true)
    sink.drain()
    queue.drained(10_050)
    expect(queue.isStalled(1e9)).toBe(false)
  })

  test('what waits counts as dropped when the connection ends', () => {
    const { queue, offer, totals, retained } = setUp()
    offer(BINARY, long('a'))
    offer(BINARY, 'b', 'c')

    queue.ended()

    expect(totals.droppedMessages.closed).toBe(2)
    expect(totals).toMatchObject({ queuedMessages: 0, queuedBytes: 0 })
    expect(retained.bytes).toBe(0)
  })

  test('whatever happens, offered is delivered, dropped and queued together', () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('offer' as const),
        opcode: fc.constantFrom<typeof TEXT | typeof BINARY>(TEXT, BINARY),
        sizes: fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 5 }),
      }),
      fc.constant({ kind: 'drain' as const }),
      fc.constant({ kind: 'discard' as const }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { sink, queue, offer, totals, retained } = setUp({ maxRetainedBytes: 2000 })
        for (const one of steps) {
          if (one.kind === 'offer') offer(one.opcode, ...one.sizes.map((size) => 'x'.repeat(size)))
          else if (one.kind === 'discard') queue.discard()
          else {
            sink.drain()
            queue.drained(0)
          }
          const dropped = totals.droppedMessages.slow + totals.droppedMessages.closed
          const droppedBytes = totals.droppedBytes.slow + totals.droppedBytes.closed
          expect(totals.deliveredMessages + dropped + totals.queuedMessages).toBe(totals.offeredMessages)
          expect(totals.deliveredBytes + droppedBytes + totals.queuedBytes).toBe(totals.offeredBytes)
          expect(retained.bytes === 0).toBe(!sink.writableNeedDrain)
        }
        queue.ended()
        expect(retained.bytes).toBe(0)
      }),
    )
  })
})
