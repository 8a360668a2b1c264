import { BINARY, TEXT } from '@relay/common/server/websocket/frame-header'
import { MAX_MESSAGE_BYTES } from '@relay/common/tunnel/tunnel-protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ByteSink, frameOverheadBytes, Outbox, type OutboxTotals } from './outbox.ts'

/** A socket that is full once it holds `roomBytes`, until the test drains it. */
class FakeSink implements ByteSink {
  readonly written: Buffer[] = []
  writableLength = 0
  corks = 0
  readonly #roomBytes: number

  constructor(roomBytes: number) {
    this.#roomBytes = roomBytes
  }

  get writableNeedDrain(): boolean {
    return this.writableLength >= this.#roomBytes
  }

  write(bytes: Uint8Array): boolean {
    this.written.push(Buffer.from(bytes))
    this.writableLength += bytes.length
    return !this.writableNeedDrain
  }

  cork(): void {
    this.corks += 1
  }

  uncork(): void {
    this.corks -= 1
  }

  /** The messages in what was written; every frame must be whole. */
  messages(): readonly { readonly payload: Buffer; readonly isText: boolean }[] {
    const all = Buffer.concat(this.written)
    const messages: { payload: Buffer; isText: boolean }[] = []
    let pieces: Buffer[] = []
    let isText = false
    for (let at = 0; at < all.length; ) {
      const first = all[at] ?? 0
      const short = all[at + 1] ?? 0
      const length =
        short === 127 ? all.readUInt32BE(at + 6) : short === 126 ? all.readUInt16BE(at + 2) : short
      at += short === 127 ? 10 : short === 126 ? 4 : 2
      if (length > 65_536 || at + length > all.length) throw new Error('no whole frame of 64 KiB at most')
      if ((first & 0x0f) !== 0) isText = (first & 0x0f) === TEXT
      pieces.push(all.subarray(at, at + length))
      at += length
      if ((first & 0x80) === 0) continue
      messages.push({ payload: Buffer.concat(pieces), isText })
      pieces = []
    }
    if (pieces.length > 0) throw new Error('the last message is not whole')
    return messages
  }
}

const turnEnd = { add: (outbox: Outbox): void => outbox.endTurn() }

function newTotals(): OutboxTotals {
  return { waitingBytes: 0, droppedBytes: 0 }
}

const size = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc.constantFrom(4096, 4097, 65_535, 65_536, 65_537, 131_072, 200_000),
)
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('offer' as const), size, isText: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('drain' as const), isTold: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('attach' as const) }) },
)

test('whatever the order of messages, drains and the coming of the link, all arrives once, whole and in order', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 100_000 }), (steps, room) => {
      const totals = newTotals()
      const outbox = new Outbox(totals, turnEnd)
      const sink = new FakeSink(room)
      let isAttached = false
      const offered: { payload: Buffer; isText: boolean }[] = []
      const attach = (): void => {
        if (!isAttached) outbox.attach(sink, 0)
        isAttached = true
      }
      let isUntold = false
      /** A socket may be free some moments before it says so. */
      const drain = (isTold: boolean): void => {
        if (!isAttached || (!sink.writableNeedDrain && !isUntold)) return
        sink.writableLength = 0
        isUntold = !isTold
        if (isTold) outbox.drained(0)
      }
      for (const [at, one] of steps.entries()) {
        if (one.do === 'attach') attach()
        else if (one.do === 'drain') drain(one.isTold)
        else {
          const payload = Buffer.alloc(one.size, at + 1)
          offered.push({ payload, isText: one.isText })
          outbox.offer(payload, one.isText ? TEXT : BINARY, at)
        }
        expect(outbox.isEmpty).toBe(totals.waitingBytes === 0)
        expect(totals.waitingBytes).toBe(outbox.waitingBytes)
      }
      attach()
      while (!outbox.isEmpty) drain(true)
      const arrived = sink.messages()
      expect(arrived.length).toBe(offered.length)
      for (const [at, { payload, isText }] of arrived.entries()) {
        expect(isText).toBe(offered[at]?.isText)
        expect(payload.equals(offered[at]?.payload ?? Buffer.alloc(0))).toBe(true)
      }
      expect(totals).toEqual(newTotals())
      expect(sink.corks).toBe(0)
    }),
    { numRuns: 200 },
  )
})

describe('an outbox', () => {
  test('gives a full socket nothing more than the frame that filled it', () => {
    const outbox = new Outbox(newTotals(), turnEnd)
    const sink = new FakeSink(10)
    outbox.attach(sink, 0)
    for (let count = 0; count < 5; count++) outbox.offer(Buffer.alloc(20), BINARY, 7)
    expect(sink.writableLength).toBe(22)
    expect(outbox.waitingBytes).toBe(4 * (22 + frameOverheadBytes))
    expect(outbox.blockedSinceMs).toBe(7)
  })

  test('sends the longest message of our own ends in one frame', () => {
    const outbox = new Outbox(newTotals(), turnEnd)
    const sink = new FakeSink(1_000_000)
    outbox.attach(sink, 0)
    outbox.offer(Buffer.alloc(MAX_MESSAGE_BYTES), BINARY, 0)
    expect(sink.written.map(({ length }) => length)).toEqual([10, MAX_MESSAGE_BYTES])
  })

  test('begins with the first word, before what has waited', () => {
    const outbox = new Outbox(newTotals(), turnEnd)
    const sink = new FakeSink(1000)
    outbox.offer(Buffer.from('waited'), BINARY, 0)
    outbox.attach(sink, 0, 'first')
    expect(sink.messages().map(({ payload }) => payload.toString())).toEqual(['first', 'waited'])
  })

  test('keeps the order of thousands that leave a few at a time', () => {
    const totals = newTotals()
    const outbox = new Outbox(totals, turnEnd)
    const sink = new FakeSink(100)
    outbox.attach(sink, 0)
    for (let count = 0; count < 3000; count++) outbox.offer(Buffer.from(`${count}`), BINARY, 0)
    while (!outbox.isEmpty) {
      sink.writableLength = 0
      outbox.drained(0)
    }
    const arrived = sink.messages().map(({ payload }) => payload.toString())
    expect(arrived).toEqual(Array.from({ length: 3000 }, (_, count) => `${count}`))
    expect(totals).toEqual(newTotals())
  })

  test('that is closed counts what it loses, takes nothing more and holds nothing', () => {
    const totals = newTotals()
    const outbox = new Outbox(totals, turnEnd)
    outbox.offer(Buffer.alloc(100), BINARY, 0)
    outbox.close()
    outbox.offer(Buffer.alloc(100), BINARY, 0)
    expect(totals).toEqual({ waitingBytes: 0, droppedBytes: 102 })
    expect(outbox.isEmpty).toBe(true)
    expect([outbox.messages, outbox.bytes]).toEqual([1, 100])
  })

  test('uncorks its socket once per turn', () => {
    let ends = 0
    const outbox = new Outbox(newTotals(), { add: () => void (ends += 1) })
    const sink = new FakeSink(1000)
    outbox.attach(sink, 0)
    for (let count = 0; count < 5; count++) outbox.offer(Buffer.alloc(3), BINARY, 0)
    expect([ends, sink.corks]).toEqual([1, 1])
    outbox.endTurn()
    expect(sink.corks).toBe(0)
  })
})
