import { FakeClock } from '@relay/common/fake-clock'
import { StatsTopic } from '@relay/common/server/stats/stats-topic'
import { systemClock } from '@relay/common/clock'
import { afterEach, describe, expect, test } from 'vitest'
import { ShellReporter } from '../src/relay/status/shell-reporter.ts'
import { ExchangeRig } from './support/exchange-rig.ts'

let rig: ExchangeRig
afterEach(async () => {
  await rig.stop()
})

const ours = { kind: 'tunnel' } as const

describe('the end of a token', () => {
  test('ends both links of an old session without a close frame, tells its host, and leaves the host connected', async () => {
    rig = await ExchangeRig.start()
    const manager = await rig.join('manager')
    const { client, host, connect } = await rig.pair(manager, { expiresInSec: 2 })
    const endings = await Promise.all([client.closed, host.closed])
    expect(endings.map(({ code }) => code)).toEqual([undefined, undefined])
    expect(await manager.json()).toEqual({ action: 'disconnect', uri: connect.uri, uuid: connect.uuid })
    expect([manager.isClosed, rig.exchange.isHostOnline('pend00')]).toEqual([false, true])
  })

  test('is told to ends of ours', async () => {
    rig = await ExchangeRig.start()
    const { client, host } = await rig.pair(
      await rig.join('manager', ours),
      { ...ours, expiresInSec: 2 },
      ours,
    )
    expect(await client.closed).toEqual({ code: 4001, reason: 'token-expired' })
    expect(await host.closed).toEqual({ code: 4001, reason: 'token-expired' })
  })

  test('of a host ends its control link, and its sessions live', async () => {
    rig = await ExchangeRig.start()
    const manager = await rig.join('manager', { expiresInSec: 2 })
    const { client, host } = await rig.pair(manager)
    expect((await manager.closed).code).toBeUndefined()
    client.send(Buffer.from('on'))
    expect((await host.read(2)).toString()).toBe('on')
  })

  test('that is five years away ends nothing now, and ends it then', async () => {
    const clock = new FakeClock(Date.now())
    rig = await ExchangeRig.start({ clock })
    const { client } = await rig.pair(await rig.join('manager'), { expiresInSec: 165_456_000 })
    clock.jump(165_455_000_000)
    await clock.advance(2000)
    expect(rig.exchange.pairs.size).toBe(1)
    clock.jump(2_000_000)
    await clock.advance(2000)
    expect((await client.closed).code).toBeUndefined()
  })
})

test.each([
  ['a cancelled booking', 4002, (exchange: ExchangeRig['exchange']) => exchange.closeBooking('b1')],
  ['a retired key', 4003, (exchange: ExchangeRig['exchange']) => exchange.closeOfKeys(new Set(['k1']))],
] as const)('%s ends the sessions and hosts that it let in, and no other', async (_what, code, end) => {
  rig = await ExchangeRig.start()
  const manager = await rig.join('manager', ours)
  const meant = await rig.pair(manager, { ...ours, bookingId: 'b1', keyId: 'k1' }, ours)
  const other = await rig.pair(manager, { ...ours, bookingId: 'b2', keyId: 'k2' }, ours)
  const otherManager = await rig.join('manager', { ...ours, id: 'pend01', bookingId: 'b1', keyId: 'k1' })

  expect(end(rig.exchange)).toBe(3)
  const codes = await Promise.all(
    [meant.client, meant.host, otherManager].map(async (peer) => (await peer.closed).code),
  )
  expect(codes).toEqual([code, code, code])
  expect([other.client.isClosed, manager.isClosed]).toEqual([false, false])
})

test('a relay that stops gives what waits a moment, tells ends of ours to come back, and cuts old ones', async () => {
  rig = await ExchangeRig.start()
  const manager = await rig.join('manager')
  const ourManager = await rig.join('manager', { ...ours, id: 'pend01' })
  const old = await rig.pair(manager)
  const own = await rig.pair(ourManager, { ...ours, id: 'pend01' }, ours)
  const waiting = await rig.join('client', { id: 'pend02', ...ours })
  own.host.socket.pause()
  const sent = Buffer.alloc(4_000_000, 'x')
  for (let at = 0; at < sent.length; at += 50_000) own.client.send(sent.subarray(at, at + 50_000))
  await expect.poll(() => rig.exchange.traffic().host).toBe(4_000_000)
  rig.port.stopAccepting()
  const draining = rig.exchange.drain(8000)
  own.host.socket.resume()

  expect((await own.host.read(sent.length)).length).toBe(sent.length)
  const stopping = { code: 1001, reason: 'relay-stopping' }
  for (const peer of [own.client, own.host, ourManager, waiting]) expect(await peer.closed).toEqual(stopping)
  expect((await manager.json())['uri']).toBe(old.connect.uri)
  for (const peer of [old.client, old.host, manager]) expect((await peer.closed).code).toBeUndefined()
  await draining
  expect(rig.exchange.links.size).toBe(0)
})

test('reports come on request, alone on their links, and say who is connected to what, in the words of both generations and ours', async () => {
  rig = await ExchangeRig.start()
  const reporter = new ShellReporter(rig.exchange, systemClock)
  const topic = new StatsTopic(
    { everyMs: 600_000 },
    { exchange: rig.exchange.readers, reporter, clock: systemClock },
  )
  topic.start()
  const { client, host } = await rig.pair(await rig.join('manager', ours), ours, ours)
  client.send(Buffer.from('12345'))
  await host.read(5)
  const reader = await rig.join('stats', { id: 'stats', options: { headers: { 'User-Agent': 'golden' } } })
  const other = await rig.join('stats', { id: 'stats' })
  reader.sendText('{"cmd":"update"}')

  const report = JSON.parse(await reader.text()) as Record<string, unknown>[]
  expect(report).toContainEqual(expect.objectContaining({ topic: 'stats', user_agent: 'internal' }))
  expect(report).toContainEqual(expect.objectContaining({ topic: 'stats', userAgent: 'golden' }))
  expect(report).toContainEqual(
    expect.objectContaining({ topic: 'pend00', role: 'manager', scopes: ['host', 'read', 'write'] }),
  )
  expect(report).toContainEqual(
    expect.objectContaining({
      id: 'pend00',
      role: 'client',
      peer: 'tunnel',
      session: 'paired',
      bytesFrom: 5,
    }),
  )
  expect(report.filter(({ topic: name }) => String(name).startsWith('pend00/'))).toHaveLength(2)
  expect(JSON.parse(await other.text())).toHaveLength(6)

  // What one of them says goes to nobody else, and nobody hears that one has gone: reports are all there is.
  await reader.close()
  await expect.poll(() => rig.exchange.readers.size).toBe(1)
  expect([reader.unread, other.unread]).toEqual([[], []])
  other.sendText('{"cmd":"update"}')
  expect(JSON.parse(await other.text())).toHaveLength(5)
  topic.stop()
})

test('two thousand sessions come and go, however they end, and all is as before', async () => {
  rig = await ExchangeRig.start()
  const managers = [await rig.join('manager'), await rig.join('manager', { ...ours, id: 'pend01' })]
  const before = process.getActiveResourcesInfo().length
  let started = 0
  const session = async (number: number): Promise<void> => {
    const joiner = number % 2 === 0 ? {} : { ...ours, id: 'pend01' }
    const client = await rig.join('client', joiner)
    client.send(Buffer.from('hello'))
    await endings[number % endings.length]?.(client)
  }
  type Joiner = Parameters<ExchangeRig['dial']>[1]
  type Client = Awaited<ReturnType<ExchangeRig['join']>>
  /** Whatever connect message comes belongs to some session of the lot: hosts dial for all of them. */
  const hosts = new Set<Promise<void>>()
  const serve = async (index: number, joiner: Joiner): Promise<void> => {
    for (;;) {
      const told = await managers[index]?.json()
      if (told?.['action'] !== 'connect') continue
      const dialled = rig.dial(String(told['uri']), joiner).then(
        (host) => host.send(Buffer.from('banner')),
        () => {},
      )
      hosts.add(dialled)
      void dialled.then(() => hosts.delete(dialled))
    }
  }
  const serving = Promise.allSettled([serve(0, {}), serve(1, ours)])
  const endings = [
    async (client: Client) => {
      await client.until(() => client.unread.length > 0)
      await client.close()
    },
    async (client: Client) => {
      await client.until(() => client.unread.length > 0)
      client.cut()
      await client.closed
    },
    async (client: Client) => {
      client.cut()
      await client.closed
    },
  ]
  const worker = async (): Promise<void> => {
    while (started < 2000) {
      started += 1
      await session(started)
    }
  }
  await Promise.all(Array.from({ length: 20 }, worker))

  const { exchange, codes } = rig
  await expect.poll(() => exchange.links.size, { timeout: 30_000 }).toBe(2)
  await Promise.all(hosts)
  expect([exchange.pairs.size, codes.size, exchange.totals.waitingBytes]).toEqual([0, 0, 0])
  expect(exchange.counters.sessions).toBe(2000)
  await expect.poll(() => process.getActiveResourcesInfo().length).toBeLessThanOrEqual(before + 4)
  for (const manager of managers) manager.cut()
  await serving
}, 120_000)
