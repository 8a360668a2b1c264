import { afterEach, describe, expect, test } from 'vitest'
import { ExchangeRig } from './support/exchange-rig.ts'

let rig: ExchangeRig
afterEach(async () => {
  await rig.stop()
})

const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'

describe('old ends', () => {
  test('a host hears of a client in the exact words of the old relay, and bytes go both ways', async () => {
    rig = await ExchangeRig.start()
    const manager = await rig.join('manager')
    const client = await rig.join('client')

    const text = await manager.text()
    expect(text).toMatch(
      new RegExp(
        `^\\{"action":"connect","uri":"${rig.target}/shell/pend00/${uuid}\\?code=${uuid}","uuid":"${uuid}"\\}$`,
      ),
    )
    const host = await rig.dial((JSON.parse(text) as { uri: string }).uri)
    host.send(Buffer.from('SSH-2.0-mock\r\n'))
    expect((await client.read(14)).toString()).toBe('SSH-2.0-mock\r\n')
    client.send(Buffer.from('SSH-2.0-ssh\r\n'))
    expect((await host.read(13)).toString()).toBe('SSH-2.0-ssh\r\n')
  })

  test('what a client says before its host has dialled waits for it, in order', async () => {
    rig = await ExchangeRig.start()
    const manager = await rig.join('manager')
    const client = await rig.join('client')
    for (const piece of ['early-1', 'early-2', 'early-3']) client.send(Buffer.from(piece))

    const host = await rig.dial((await manager.json())['uri'] as string)
    expect((await host.read(21)).toString()).toBe('early-1early-2early-3')
  })

  test('text of an old end arrives as binary, and a message stays one message', async () => {
    rig = await ExchangeRig.start()
    const { client, host } = await rig.pair(await rig.join('manager'))
    host.sendText('plain text')
    expect(await client.message()).toEqual({ data: Buffer.from('plain text'), isBinary: true })

    const large = Buffer.alloc(200_000, 'abc')
    host.send(large)
    const message = await client.message()
    expect(message.data.equals(large)).toBe(true)
    expect(message.isBinary).toBe(true)
  })

  test('a client that leaves ends the session at its host, by close and by a disconnect that old hosts heed', async () => {
    rig = await ExchangeRig.start()
    const manager = await rig.join('manager')
    const { client, host, connect } = await rig.pair(manager)
    client.send(Buffer.from('bye'))
    await client.close(1000)

    expect((await host.read(3)).toString()).toBe('bye')
    expect(await host.closed).toEqual({ code: 1000, reason: 'ended' })
    expect(await manager.text()).toBe(
      JSON.stringify({ action: 'disconnect', uri: connect.uri, uuid: connect.uuid }),
    )
  })

  test('a host of the successor that has not dialled yet gets the old disconnect, as another would end it', async () => {
    rig = await ExchangeRig.start()
    const manager = await rig.join('manager', { kind: 'connect' })
    const client = await rig.join('client', { kind: 'connect' })
    const { uuid: name } = await manager.json()
    await client.close()

    expect(await manager.text()).toBe(`{"action":"disconnect","uri":"","uuid":"${String(name)}"}`)
  })

  test('a host whose control link broke while it dialled is asked anew, under another name', async () => {
    rig = await ExchangeRig.start()
    const before = await rig.join('manager', { kind: 'connect' })
    const client = await rig.join('client', { kind: 'connect' })
    const first = await before.json()
    before.cut()
    await expect.poll(() => rig.exchange.hosts.size).toBe(0)
    const manager = await rig.join('manager', { kind: 'connect' })
    const second = await manager.json()
    expect(second['uuid']).not.toBe(first['uuid'])

    const host = await rig.dial(second['uri'] as string)
    await client.close()
    await host.closed
    const told = [await manager.json(), await manager.json()]

    // Only of the one that came does a host of the successor survive an end.
    expect(told).toEqual([
      { action: 'disconnect', uri: '', uuid: first['uuid'] },
      { action: 'disconnect', uri: second['uri'], uuid: second['uuid'] },
    ])
  })

  test('a client of v0.2.2 is parked when its host goes, and closed when it speaks again', async () => {
    rig = await ExchangeRig.start()
    const { client, host } = await rig.pair(await rig.join('manager'))
    host.send(Buffer.from('last words'))
    await host.close(1000)
    expect((await client.read(10)).toString()).toBe('last words')
    await expect.poll(() => [...rig.exchange.pairs.all()].map(({ phase }) => phase)).toEqual(['parked'])
    expect(client.isClosed).toBe(false)

    client.send(Buffer.from('anybody'))
    expect((await client.closed).code).toBe(1000)
    await expect.poll(() => rig.exchange.links.size).toBe(1)
  })

  test('a client of the successor is closed at once when its host goes, after the last byte', async () => {
    rig = await ExchangeRig.start()
    const manager = await rig.join('manager', { kind: 'connect' })
    const { client, host } = await rig.pair(manager, { kind: 'connect' }, { kind: 'connect' })
    host.send(Buffer.alloc(3_000_000, 'x'))
    await host.close(1000)
    expect((await client.read(3_000_000)).length).toBe(3_000_000)
    expect((await client.closed).code).toBe(1000)
  })

  test('a host of one generation serves a client of the other, at the address that it can reach', async () => {
    rig = await ExchangeRig.start()
    const manager = await rig.join('manager', { kind: 'shell' })
    const { client, host, connect } = await rig.pair(manager, { kind: 'connect' })
    expect(connect.uri.startsWith(`${rig.target}/shell/pend00/`)).toBe(true)
    client.send(Buffer.from('x'))
    expect((await host.read(1)).toString()).toBe('x')
  })
})

describe('ends of ours', () => {
  const ours = { kind: 'tunnel' } as const

  test('both are told that they are paired, the host before anything else, and text flows between them', async () => {
    rig = await ExchangeRig.start()
    const manager = await rig.join('manager', ours)
    const client = await rig.join('client', ours)
    const connect = await manager.json()
    expect(Object.keys(connect)).toEqual(['action', 'uri', 'uuid', 'peer', 'token'])
    expect(connect).toMatchObject({ peer: 'tunnel', token: '0123456789abcdef0123456789abcdef' })
    client.send(Buffer.from('too early, but kept'))

    const host = await rig.dial(connect['uri'] as string, ours)
    expect(await host.message()).toEqual({
      data: Buffer.from('{"type":"paired","peer":"tunnel"}'),
      isBinary: false,
    })
    expect(await client.text()).toBe('{"type":"paired","peer":"tunnel"}')
    expect((await host.read(19)).toString()).toBe('too early, but kept')
    client.sendText('{"type":"open"}')
    expect(await host.text()).toBe('{"type":"open"}')
    host.sendText('a12')
    expect(await client.text()).toBe('a12')
  })

  test('text goes to no old end and from none', async () => {
    rig = await ExchangeRig.start()
    const manager = await rig.join('manager')
    const { client, host } = await rig.pair(manager, ours)
    client.sendText('{"type":"open"}')
    client.send(Buffer.from('bytes'))
    expect((await host.message()).data.toString()).toBe('bytes')
    expect(rig.exchange.counters.ignoredTexts).toBe(1)
    host.sendText('from old')
    expect(await client.message()).toEqual({ data: Buffer.from('from old'), isBinary: true })
  })

  test.each([
    ['closes with 1000', 'host', 1000, 1000],
    ['breaks', 'host', undefined, 4000],
    ['closes with 1000', 'client', 1000, 1000],
    ['breaks', 'client', undefined, 4000],
  ] as const)('where one %s at the %s, the other hears %s as %s', async (_what, side, code, heard) => {
    rig = await ExchangeRig.start()
    const ends = await rig.pair(await rig.join('manager', ours), ours, ours)
    const other = side === 'host' ? ends.client : ends.host
    if (code === undefined) ends[side].cut()
    else await ends[side].close(code)
    expect((await other.closed).code).toBe(heard)
  })

  test('a client of ours hears that an old host has gone', async () => {
    rig = await ExchangeRig.start()
    const { client, host } = await rig.pair(await rig.join('manager'), ours)
    await host.close()
    expect(await client.closed).toEqual({ code: 4004, reason: 'host-gone' })
  })

  test('a client without a host is told so, and when one was last there', async () => {
    rig = await ExchangeRig.start()
    const first = await rig.join('client', ours)
    expect(await first.text()).toBe('{"type":"waiting","reason":"host-offline","lastSeen":null}')

    const manager = await rig.join('manager', ours)
    expect((await manager.json())['action']).toBe('connect')
    manager.cut()
    await expect.poll(() => rig.exchange.isHostOnline('pend00')).toBe(false)
    const second = await rig.join('client', ours)
    const { lastSeen } = await second.json()
    expect(Math.abs(Date.parse(String(lastSeen)) - Date.now())).toBeLessThan(60_000)
  })

  test('host keys that a host tells are kept, also after it has gone', async () => {
    rig = await ExchangeRig.start()
    const manager = await rig.join('manager', ours)
    const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGlpb2dhbmRhbG90b2Z6ZXJvc2FuZG9uZXM='
    manager.sendText(JSON.stringify({ type: 'host-keys', keys: [key], signed: 'a.b.c' }))
    await expect.poll(() => rig.exchange.hostKeysOf('pend00')).toMatchObject({ keys: [key], signed: 'a.b.c' })
    await manager.close()
    expect(rig.exchange.hostKeysOf('pend00')?.keys).toEqual([key])
    expect(rig.exchange.hostKeysOf('pend01')).toBeUndefined()
  })
})

describe('who is in charge', () => {
  test('the newest host gets the clients, the other is told, and takes over when it goes', async () => {
    rig = await ExchangeRig.start()
    const old = await rig.join('manager', { kind: 'tunnel' })
    const fresh = await rig.join('manager', { kind: 'tunnel' })
    expect(await old.text()).toBe('{"action":"standby"}')
    await rig.pair(fresh, {}, { kind: 'tunnel' })
    expect(old.unread).toEqual([])

    await fresh.close()
    expect(await old.text()).toBe('{"action":"active"}')
    await rig.pair(old, {}, { kind: 'tunnel' })
  })

  test('a client goes to the next host when the alerted one goes before it has dialled', async () => {
    rig = await ExchangeRig.start()
    const old = await rig.join('manager')
    const fresh = await rig.join('manager')
    const client = await rig.join('client')
    await fresh.text()
    fresh.cut()
    const host = await rig.dial((await old.json())['uri'] as string)
    host.send(Buffer.from('hello'))
    expect((await client.read(5)).toString()).toBe('hello')
  })

  test('a client goes to the next host when the alerted one does not dial in time', async () => {
    rig = await ExchangeRig.start({
      pairTimes: { dialWithinMs: 500, codeLifetimeMs: 45_000, waitForHostMs: 120_000 },
    })
    const old = await rig.join('manager')
    const fresh = await rig.join('manager')
    const client = await rig.join('client')
    const first = await fresh.json()
    const host = await rig.dial((await old.json())['uri'] as string)
    host.send(Buffer.from('hello'))
    expect((await client.read(5)).toString()).toBe('hello')

    await expect(rig.dial(first['uri'] as string)).rejects.toThrow('refused with 410')
  })

  test('clients that wait reach a host that comes late', async () => {
    rig = await ExchangeRig.start()
    const client = await rig.join('client')
    client.send(Buffer.from('early'))
    await expect.poll(() => rig.exchange.pairs.countWaiting('pend00')).toBe(1)
    const manager = await rig.join('manager')
    const host = await rig.dial((await manager.json())['uri'] as string)
    expect((await host.read(5)).toString()).toBe('early')
  })

  test('a client of ours whose host never comes is told so; one of v0.2.2 is parked', async () => {
    rig = await ExchangeRig.start({
      pairTimes: { dialWithinMs: 500, codeLifetimeMs: 500, waitForHostMs: 500 },
    })
    const ours = await rig.join('client', { kind: 'tunnel' })
    await rig.join('client')
    expect(await ours.closed).toEqual({ code: 4005, reason: 'host-offline' })
    await expect.poll(() => [...rig.exchange.pairs.all()].map(({ phase }) => phase)).toEqual(['parked'])
  })
})
