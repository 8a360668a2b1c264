import { FakeClock } from '@relay/common/fake-clock'
import { describe, expect, test } from 'vitest'
import type { DeliveryTotals } from '../src/exchange/delivery-totals.ts'
import { expectSoon } from '../../common/test/support/expect-soon.ts'
import { RunningRelay } from './support/running-relay.ts'
import { StalledPeer } from './support/stalled-peer.ts'
import type { Viewer } from './support/viewer.ts'

const read = { scopes: ['read'] }
const write = { scopes: ['write'] }
/** More than the kernel's buffers of both ends, whose largest size differs between machines. */
const floodBytes = 24 * 1_048_576

function expectBalance(totals: DeliveryTotals): void {
  const { slow, closed } = totals.droppedMessages
  expect(totals.deliveredMessages + slow + closed + totals.queuedMessages).toBe(totals.offeredMessages)
  const bytes = totals.droppedBytes
  expect(totals.deliveredBytes + bytes.slow + bytes.closed + totals.queuedBytes).toBe(totals.offeredBytes)
}

/** Sends messages one after the other, each when a witness has heard the one before. */
async function sendPaced(
  speaker: Viewer,
  witness: Viewer,
  messages: readonly (string | Buffer)[],
): Promise<void> {
  for (const message of messages) {
    const count = witness.heard.length
    speaker.send(message)
    await witness.hear(count + 1)
  }
}

describe('one stalled viewer among twenty', () => {
  test('loses messages alone; the others hear all, in order, and every message is accounted for', async () => {
    await using running = await RunningRelay.start({ settings: { RELAY_MAX_BUFFERED_BYTES: '1MiB' } })
    const speaker = await running.join('t-video', write)
    const good = await Promise.all(Array.from({ length: 19 }, () => running.join('t-video', read)))
    const stalled = await StalledPeer.dial(await running.address('t-video', read))
    const [witness] = good as [Viewer]
    const size = 65_536
    const count = floodBytes / size
    const messages = Array.from({ length: count }, (_, index) => {
      const message = Buffer.alloc(size, 0x47)
      message.writeUInt32BE(index)
      return message
    })

    await sendPaced(speaker, witness, messages)
    await Promise.all(good.map((viewer) => viewer.hear(count)))

    for (const viewer of good) {
      expect(viewer.heard.map(({ data }) => data.readUInt32BE())).toEqual(messages.map((_, index) => index))
    }
    const { totals, retained } = running.relay.exchange
    expect(totals.offeredMessages).toBe(count * 20)
    expect(totals.droppedMessages.slow).toBeGreaterThan(0)
    expect(retained.bytes).toBeLessThanOrEqual(1_048_576 + size)
    expectBalance(totals)
    stalled.socket.destroy()
    await expectSoon(() => totals.queuedMessages).toBe(0)
    expectBalance(totals)
    expect(totals.deliveredMessages).toBe(
      count * 20 - totals.droppedMessages.slow - totals.droppedMessages.closed,
    )
  })

  test('that reads on gets whole messages only, in order', async () => {
    await using running = await RunningRelay.start({ settings: { RELAY_MAX_BUFFERED_BYTES: '256KiB' } })
    const speaker = await running.join('t', write)
    const witness = await running.join('t', read)
    const slow = await running.join('t', read)
    slow.socket.pause()
    const count = floodBytes / 65_536
    const messages = Array.from({ length: count }, (_, index) => Buffer.alloc(65_536, index & 0xff))
    await sendPaced(speaker, witness, messages)
    expect(running.relay.exchange.totals.droppedMessages.slow).toBeGreaterThan(0)

    slow.socket.resume()
    await expectSoon(() => running.relay.exchange.totals.queuedMessages).toBe(0)
    const received = running.relay.exchange.totals.deliveredMessages - count
    await slow.hear(received)
    await slow.settle()

    expect(slow.heard).toHaveLength(received)
    expect(
      slow.heard.every(({ data }) => data.length === 65_536 && data.every((byte) => byte === data[0])),
    ).toBe(true)
    const order = slow.heard.map(({ data }) => data[0] ?? 0)
    expect(order.slice(1).every((value, index) => value > (order[index] ?? 0))).toBe(true)
  })
})

describe('a stalled reader', () => {
  test('of text is closed with a named reason instead of losing some silently', async () => {
    await using running = await RunningRelay.start({ settings: { RELAY_MAX_BUFFERED_TEXT_BYTES: '1MiB' } })
    const speaker = await running.join('t-data', write)
    const witness = await running.join('t-data', read)
    const stalled = await StalledPeer.dial(await running.address('t-data', read))
    const text = 'x'.repeat(65_536)

    await sendPaced(
      speaker,
      witness,
      Array.from({ length: floodBytes / text.length }, () => text),
    )
    const bytes = await stalled.readToEnd()

    expect(bytes.subarray(-19)).toEqual(
      Buffer.concat([
        Buffer.from([0x88, 17]),
        Buffer.from([1013 >> 8, 1013 & 0xff]),
        Buffer.from('reader too slow'),
      ]),
    )
    expect(running.relay.exchange.closed.slow).toBe(1)
    expectBalance(running.relay.exchange.totals)
  })

  test('whose socket takes nothing for too long is cut off, and counted', async () => {
    const clock = new FakeClock(Date.now())
    await using running = await RunningRelay.start({ clock })
    const speaker = await running.join('t', write)
    const witness = await running.join('t', read)
    const stalled = await StalledPeer.dial(await running.address('t', read))
    await sendPaced(
      speaker,
      witness,
      Array.from({ length: floodBytes / 65_536 }, () => Buffer.alloc(65_536)),
    )
    await clock.advance(9000)
    expect(running.relay.exchange.closed.stalled).toBe(0)

    await clock.advance(15_000)

    expect(running.relay.exchange.closed.stalled).toBe(1)
    await stalled.readToEnd()
    await witness.settle()
    expect(witness.closed).toBeUndefined()
  })

  test('does not hold up its own end: a denial cuts it off at once', async () => {
    await using running = await RunningRelay.start()
    const speaker = await running.join('t', write)
    const witness = await running.join('t', read)
    await StalledPeer.dial(await running.address('t', { ...read, booking_id: 'bk-1' }))
    await sendPaced(
      speaker,
      witness,
      Array.from({ length: floodBytes / 65_536 }, () => Buffer.alloc(65_536)),
    )

    running.relay.exchange.closeBooking('bk-1')

    await expectSoon(() => running.relay.exchange.connections.size).toBe(2)
  })
})

test('many stalled viewers keep one copy of what they share', async () => {
  await using running = await RunningRelay.start()
  const speaker = await running.join('t', write)
  const witness = await running.join('t', read)
  const stalled = await Promise.all(
    Array.from({ length: 20 }, async () => await StalledPeer.dial(await running.address('t', read))),
  )

  await sendPaced(
    speaker,
    witness,
    Array.from({ length: floodBytes / 65_536 }, () => Buffer.alloc(65_536)),
  )

  const { retained, totals } = running.relay.exchange
  expect(totals.queuedBytes).toBeGreaterThan(20 * 3 * 1_048_576)
  expect(retained.bytes).toBeLessThan(floodBytes)
  expectBalance(totals)
  for (const { socket } of stalled) socket.destroy()
  await expectSoon(() => retained.bytes).toBe(0)
})

describe('when the memory for slow readers is short', () => {
  test('what stands in the sockets of stalled readers counts, and is given back', async () => {
    const clock = new FakeClock(Date.now())
    await using running = await RunningRelay.start({ clock, settings: { RELAY_MAX_RETAINED_BYTES: '1MiB' } })
    const speaker = await running.join('t', write)
    const witness = await running.join('t', read)
    const { retained, closed, totals } = running.relay.exchange
    const large = Array.from({ length: 3 }, () => Buffer.alloc(10_485_760))
    const stalled: StalledPeer[] = []
    for (let count = 0; count < 3; count++) {
      stalled.push(await StalledPeer.dial(await running.address('t', read)))
      await sendPaced(speaker, witness, large)
    }
    await witness.settle()
    await expectSoon(() => retained.bytes).toBeGreaterThan(3 * 10_485_760)

    await clock.advance(2000)

    expect(retained.bytes).toBe(0)
    expect(closed.memory).toBe(3)
    expectBalance(totals)
    await witness.settle()
    expect(witness.closed).toBeUndefined()
    for (const { socket } of stalled) socket.destroy()
  })

  test('because of one topic, a reader of another that keeps up loses nothing', async () => {
    const clock = new FakeClock(Date.now())
    await using running = await RunningRelay.start({ clock, settings: { RELAY_MAX_RETAINED_BYTES: '1MiB' } })
    const hostile = await running.join('hostile', write)
    const witness = await running.join('hostile', read)
    const stalled = await StalledPeer.dial(await running.address('hostile', read))
    const flood = Array.from({ length: floodBytes / 65_536 }, () => Buffer.alloc(65_536))
    await sendPaced(hostile, witness, flood)
    expect(running.relay.exchange.retained.bytes).toBeGreaterThan(1_048_576)
    const speaker = await running.join('lab-data', write)
    const reader = await running.join('lab-data', read)

    for (let count = 0; count < 24; count++) speaker.send('x'.repeat(400_000))
    await reader.hear(24)

    expect(reader.closed).toBeUndefined()
    await clock.advance(2000)
    expect(running.relay.exchange.closed).toMatchObject({ memory: 1, slow: 0 })
    await reader.settle()
    stalled.socket.destroy()
  })
})
