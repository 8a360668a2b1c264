import { createHash } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { usualFlow, usualLinkTimes } from '../src/relay/exchange/exchange-options.ts'
import { ExchangeRig } from './support/exchange-rig.ts'
import type { WebsocketPeer } from './support/websocket-peer.ts'

let rig: ExchangeRig
afterEach(async () => {
  await rig.stop()
})

const mib = 1_048_576
const ours = { kind: 'tunnel' } as const

/** Bytes that tell where they belong. */
function pattern(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE(at >>> 2, at)
  return bytes
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Sends everything, without waiting, in messages of so many bytes. */
function flood(peer: WebsocketPeer, bytes: Buffer, messageBytes: number): void {
  for (let at = 0; at < bytes.length; at += messageBytes) peer.send(bytes.subarray(at, at + messageBytes))
}

describe('a host that does not read', () => {
  test.each([
    ['shell', 60_000, usualFlow.oldBytes],
    ['connect', 65_535, usualFlow.oldBytes],
    ['tunnel', 65_535, usualFlow.tunnelBytes],
  ] as const)(
    'holds its client of %s up at the limit, stops nobody else, and gets every byte later',
    async (kind, messageBytes, limitBytes) => {
      rig = await ExchangeRig.start()
      const manager = await rig.join('manager', { kind })
      const { client, host } = await rig.pair(manager, { kind }, { kind })
      const other = await rig.pair(manager, { kind }, { kind })
      const [pair] = rig.exchange.pairs.all()
      const sent = pattern(64 * mib)
      host.socket.pause()
      flood(client, sent, messageBytes)
      await expect.poll(() => pair?.client?.isPaused).toBe(true)

      expect(pair?.toHost.waitingBytes).toBeGreaterThan(limitBytes - mib)
      expect(pair?.toHost.waitingBytes).toBeLessThan(limitBytes + mib)
      other.client.send(Buffer.from('are you there'))
      expect((await other.host.read(13)).toString()).toBe('are you there')
      host.send(Buffer.from('against the stream'))
      expect((await client.read(18)).toString()).toBe('against the stream')

      host.socket.resume()
      expect(sha256(await host.read(sent.length))).toBe(sha256(sent))
      expect(rig.exchange.totals).toEqual({ waitingBytes: 0, droppedBytes: 0 })
      expect(rig.exchange.counters.pauses).toBeGreaterThan(0)
    },
  )

  test('lets an end of ours hear that its link lives although it is not read', async () => {
    rig = await ExchangeRig.start({ linkTimes: { ...usualLinkTimes, assureEveryMs: 200 } })
    const { client, host } = await rig.pair(await rig.join('manager', ours), ours, ours)
    host.socket.pause()
    flood(client, Buffer.alloc(32 * mib), 65_535)
    await expect.poll(() => client.pingCount).toBeGreaterThan(1)
  })

  test('is given up after a while, and its client of ours hears the end', async () => {
    rig = await ExchangeRig.start({ linkTimes: { ...usualLinkTimes, stalledAfterMs: 500 } })
    const { client, host } = await rig.pair(await rig.join('manager'), ours)
    host.socket.pause()
    flood(client, Buffer.alloc(32 * mib), 65_535)
    expect(await client.closed).toEqual({ code: 4004, reason: 'host-gone' })
    expect(rig.exchange.counters.faults.stalled).toBe(1)
    expect(rig.exchange.totals.waitingBytes).toBe(0)
  })

  test('costs its session, not a byte of another one, once all together keep too much', async () => {
    rig = await ExchangeRig.start({ limits: { maxWaitingBytes: 12 * mib } })
    const manager = await rig.join('manager')
    const small = await rig.pair(manager)
    const large = await rig.pair(manager, ours)
    const sent = pattern(4 * mib)
    small.host.socket.pause()
    flood(small.client, sent, 60_000)
    const slow = await rig.pair(manager)
    slow.host.socket.pause()
    flood(slow.client, Buffer.alloc(40 * mib), 60_000)

    await expect.poll(() => rig.exchange.counters.memoryDrops).toBe(1)
    expect(rig.exchange.totals.waitingBytes).toBeLessThan(12 * mib)
    small.host.socket.resume()
    expect(sha256(await small.host.read(sent.length))).toBe(sha256(sent))
    large.client.send(Buffer.from('x'))
    expect((await large.host.read(1)).toString()).toBe('x')
  })
})

test('a reader of reports that reads none costs no session, once all together keep too much', async () => {
  rig = await ExchangeRig.start({ limits: { maxWaitingBytes: 3 * mib } })
  const { client, host } = await rig.pair(await rig.join('manager'))
  const reader = await rig.join('stats', { id: 'stats' })
  const other = await rig.join('stats', { id: 'stats' })
  reader.socket.pause()
  const report = 'x'.repeat(mib)
  for (let count = 0; rig.exchange.readers.size === 2 && count < 100; count++) {
    rig.exchange.readers.publish('stats', report)
    expect(await other.text()).toBe(report)
  }

  expect([rig.exchange.readers.size, rig.exchange.counters.memoryDrops]).toEqual([1, 1])
  expect(rig.exchange.totals.waitingBytes).toBeLessThan(3 * mib)
  client.send(Buffer.from('still here'))
  expect((await host.read(10)).toString()).toBe('still here')
})

test('a client that leaves a host behind that does not read is waited for: its last byte arrives', async () => {
  rig = await ExchangeRig.start()
  const manager = await rig.join('manager')
  const { client, host, connect } = await rig.pair(manager)
  const sent = pattern(8 * mib)
  host.socket.pause()
  flood(client, sent, 100_000)
  await client.close()
  await expect.poll(() => [...rig.exchange.pairs.all()][0]?.phase).toBe('closing-host')

  host.socket.resume()
  expect(sha256(await host.read(sent.length))).toBe(sha256(sent))
  expect((await host.closed).code).toBe(1000)
  expect((await manager.json())['uri']).toBe(connect.uri)
})

test('a thousand small messages arrive as a thousand messages, in order', async () => {
  rig = await ExchangeRig.start()
  const { client, host } = await rig.pair(await rig.join('manager'))
  for (let count = 0; count < 1000; count++) host.send(Buffer.from(`${count}`))
  for (let count = 0; count < 1000; count++) {
    expect((await client.message()).data.toString()).toBe(`${count}`)
  }
})

test('while a message of 10 MiB is under way to a slow end, pings find their place in it', async () => {
  rig = await ExchangeRig.start({ linkTimes: { ...usualLinkTimes, pingEveryMs: 200 } })
  const { client, host } = await rig.pair(await rig.join('manager'))
  const sent = pattern(10 * mib)
  host.socket.pause()
  client.send(sent)
  await expect.poll(() => [...rig.exchange.pairs.all()][0]?.toHost.waitingBytes).toBeGreaterThan(mib)
  await new Promise((resolve) => setTimeout(resolve, 1500))
  host.socket.resume()
  const message = await host.message()
  expect(sha256(message.data)).toBe(sha256(sent))
  expect(host.pingCount).toBeGreaterThan(0)
})
