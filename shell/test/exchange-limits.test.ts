import { once } from 'node:events'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { usualLinkTimes } from '../src/relay/exchange/exchange-options.ts'
import { ExchangeRig } from './support/exchange-rig.ts'

let rig: ExchangeRig
afterEach(async () => {
  await rig.stop()
})

describe('an upgrade is refused before it, and counted', () => {
  test.each([
    ['an unknown code', '/shell/pend00?code=0b0e5a34-0000-4000-8000-000000000001', 401, 'bad-code'],
    ['no code', '/shell/pend00', 401, 'bad-code'],
    ['another kind of path', '/video/pend00?code=x', 404, undefined],
    ['doubled slashes', '/shell//pend00?code=x', 301, undefined],
    ['an escape that is none', '/shell/%zz?code=x', 400, undefined],
  ])('%s', async (_what, path, status, reason) => {
    rig = await ExchangeRig.start()
    await expect(rig.dial(`${rig.target}${path}`)).rejects.toThrow(`refused with ${status}`)
    expect(reason === undefined ? 1 : rig.port.refused[reason]).toBe(1)
  })

  test('a code used before, on another path or under another prefix, is worth nothing', async () => {
    rig = await ExchangeRig.start()
    const used = rig.uri('manager')
    await rig.dial(used)
    await expect(rig.dial(used)).rejects.toThrow('refused with 401')
    const wrong = rig.uri('manager').replace('pend00', 'pend01')
    await expect(rig.dial(wrong)).rejects.toThrow('refused with 401')
    const otherPrefix = rig.uri('manager').replace('/shell/', '/connect/')
    await expect(rig.dial(otherPrefix)).rejects.toThrow('refused with 401')
    expect(rig.port.refused).toMatchObject({ 'bad-code': 1, 'wrong-topic': 2 })
  })

  test('a booking that was cancelled since the code was given', async () => {
    rig = await ExchangeRig.start()
    const uri = rig.uri('client', { bookingId: 'b1' })
    rig.bookings.deny('b1', 4_000_000_000)
    await expect(rig.dial(uri)).rejects.toThrow('refused with 401')
    expect(rig.port.refused['denied']).toBe(1)
  })

  test.each([
    ['too-many-sessions', { maxSessionsPerId: 2 }, 429],
    ['too-many-of-address', { maxSessionsPerAddress: 2 }, 429],
    ['too-many-waiting', { maxWaitingPerId: 2 }, 429],
    ['too-many-connections', { maxConnections: 4 }, 503],
  ] as const)('%s', async (reason, limits, status) => {
    rig = await ExchangeRig.start({ limits })
    const first = await rig.join('client')
    await rig.join('client')
    const uri = rig.uri('client')
    await expect(rig.dial(uri)).rejects.toThrow(`refused with ${status}`)
    expect(rig.port.refused[reason]).toBe(1)

    await first.close()
    await expect.poll(() => rig.exchange.links.size).toBe(1)
    await rig.join('client')
  })

  test('one host too many on an id; old ends back off then', async () => {
    rig = await ExchangeRig.start({ limits: { maxHostsPerId: 2 } })
    await rig.join('manager')
    await rig.join('manager')
    await expect(rig.join('manager')).rejects.toThrow('refused with 429')
    await rig.join('manager', { id: 'pend01' })
  })

  test('a host that dials for a client that has gone', async () => {
    rig = await ExchangeRig.start()
    const manager = await rig.join('manager')
    const client = await rig.join('client')
    const { uri } = await manager.json()
    await client.close()
    await manager.json()
    await expect(rig.dial(uri as string)).rejects.toThrow('refused with 401')
    expect(rig.codes.size).toBe(0)
  })

  test('the host of a session is never the one too many', async () => {
    rig = await ExchangeRig.start({ limits: { maxConnections: 3 } })
    const manager = await rig.join('manager')
    await rig.pair(manager)
    await expect(rig.join('client')).rejects.toThrow('refused with 503')
  })
})

describe('protocols', () => {
  test.each([
    [['null'], 'null'],
    [['foo'], ''],
    [['null', 'relay-tunnel.1'], 'relay-tunnel.1'],
  ])('of %j, %j is selected', async (offered, selected) => {
    rig = await ExchangeRig.start()
    const socket = new WebSocket(rig.uri('manager'), offered, { perMessageDeflate: true })
    socket.on('error', () => {})
    await new Promise<void>((resolve) => socket.once('upgrade', () => resolve()))
    await expect.poll(() => rig.exchange.links.size).toBe(1)
    expect([socket.protocol, socket.extensions]).toEqual([selected, ''])
    socket.terminate()
  })
})

describe('a hostile peer', () => {
  test('that sends frames without mask is closed with 1002, and its host learns of it', async () => {
    rig = await ExchangeRig.start()
    const manager = await rig.join('manager')
    const { client, connect } = await rig.pair(manager)
    client.tcp.write(Buffer.from('820568656c6c6f', 'hex'))
    expect((await client.closed).code).toBe(1002)
    expect(await manager.json()).toEqual({ action: 'disconnect', uri: connect.uri, uuid: connect.uuid })
  })

  test('that announces a message above 10 MiB is closed with 1009 at its header', async () => {
    rig = await ExchangeRig.start()
    const { client, host } = await rig.pair(await rig.join('manager'))
    client.send(Buffer.alloc(10_485_760, 'x'))
    expect((await host.read(10_485_760)).length).toBe(10_485_760)
    client.tcp.write(Buffer.from('82ff0000000000a0000101020304', 'hex'))
    expect((await client.closed).code).toBe(1009)
  })

  test('that floods with pings and takes no pong is cut', async () => {
    rig = await ExchangeRig.start()
    const { client } = await rig.pair(await rig.join('manager'))
    client.socket.pause()
    const pings = Buffer.concat(
      Array.from({ length: 1000 }, () => Buffer.from(`89fd01020304${'00'.repeat(125)}`, 'hex')),
    )
    client.tcp.on('error', () => {})
    const feed = (): void => {
      if (!client.tcp.destroyed && rig.exchange.pairs.size > 0)
        client.tcp.write(pings, () => setImmediate(feed))
    }
    feed()
    await expect.poll(() => rig.exchange.pairs.size, { timeout: 20_000 }).toBe(0)
  })

  test('that begins many messages and ends none pays with the largest', async () => {
    rig = await ExchangeRig.start({ limits: { maxUnfinishedBytes: 6_000_000 } })
    const manager = await rig.join('manager')
    const { client: modest } = await rig.pair(manager)
    const { client: greedy } = await rig.pair(manager)
    for (const [peer, bytes] of [
      [modest, 1_000_000],
      [greedy, 8_000_000],
    ] as const) {
      peer.tcp.write(Buffer.from('82ff00000000009f000001020304', 'hex'))
      peer.tcp.write(Buffer.alloc(bytes))
    }
    await greedy.closed
    expect(rig.exchange.counters.faults.unfinished).toBe(1)
    expect(modest.isClosed).toBe(false)
  })

  test('that writes to a control link or to the reports disturbs nobody', async () => {
    rig = await ExchangeRig.start()
    const [first, second] = [await rig.join('manager'), await rig.join('manager', { kind: 'tunnel' })]
    for (const manager of [first, second]) {
      manager.sendText('{"hello":1}')
      manager.sendText('{"type":"host-keys","keys":[{}]}')
      manager.send(Buffer.alloc(100_000))
      manager.send('')
    }
    await rig.pair(second, {}, { kind: 'tunnel' })
    expect([first.unread, rig.exchange.hostKeysOf('pend00')]).toEqual([[], undefined])
  })
})

describe('a peer that is not there any more', () => {
  const quick = { ...usualLinkTimes, pingEveryMs: 500, pongWithinMs: 2500, silentAfterMs: 2500 }

  test('an old end that answers no ping is dropped, whatever it sends', async () => {
    rig = await ExchangeRig.start({ linkTimes: quick })
    const manager = await rig.join('manager')
    const { client, connect } = await rig.pair(manager, { options: { autoPong: false } })
    const talk = setInterval(() => client.socket.readyState === 1 && client.send(Buffer.from('tick')), 200)
    expect(await client.closed).toEqual({ code: undefined, reason: '' })
    clearInterval(talk)
    expect(await manager.json()).toMatchObject({ action: 'disconnect', uuid: connect.uuid })
    expect(rig.exchange.counters.faults.silent).toBe(1)
  })

  test('an old end that answers stays, and an end of ours stays as long as it says anything', async () => {
    rig = await ExchangeRig.start({ linkTimes: quick })
    const { client, host } = await rig.pair(await rig.join('manager'), { kind: 'tunnel' })
    const pings = setInterval(() => client.socket.ping(), 200)
    await new Promise((resolve) => setTimeout(resolve, 5000))
    expect([client.isClosed, host.isClosed]).toEqual([false, false])
    clearInterval(pings)
    await client.closed
    expect((await host.closed).code).toBe(1000)
  })

  test('an end of ours that sends a message without bytes owes nothing more', async () => {
    rig = await ExchangeRig.start()
    const { client, host } = await rig.pair(await rig.join('manager'), { kind: 'tunnel' })
    client.send(Buffer.from('x'))
    expect((await host.read(1)).toString()).toBe('x')
    client.socket.send(Buffer.alloc(0))
    client.socket.ping()
    await once(client.socket, 'pong')
    expect([...rig.exchange.links].map(({ unfinished }) => unfinished.bytes)).toEqual([0, 0, 0])
  })

  test('a ghost of a host is asked when the host comes again, and gone soon', async () => {
    rig = await ExchangeRig.start({ linkTimes: { ...usualLinkTimes, probeWithinMs: 1000 } })
    const ghost = await rig.join('manager')
    ghost.socket.pause()
    await rig.join('manager')
    await expect.poll(() => rig.exchange.hosts.size).toBe(1)
  })
})
