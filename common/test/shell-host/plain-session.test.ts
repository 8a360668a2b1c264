import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { bytesOf, endOf } from './fake-sshd.ts'
import { HostBench } from './host-bench.ts'

/** An old relay, or an old client by way of ours: spec shell 1.2, 5.2, 8.2. */
describe('with an old relay', () => {
  test('a host sends its bare token, dials sshd and the link for a client, and joins the two', async () => {
    await using bench = await HostBench.start('old')
    const { relay, sshd } = bench
    const manager = await relay.wire()
    expect(relay.asked).toEqual([{ path: '/shell/pend00', token: 'the.host.token' }])
    expect(manager.headers).toMatchObject({ 'sec-websocket-version': '13' })
    expect(manager.headers.origin).toBeUndefined()

    const { link } = await relay.client(manager)
    expect(link.headers.authorization).toBeUndefined()
    const tcp = await sshd.taken()
    tcp.write('SSH-2.0-mock\r\n')
    expect(await link.message()).toEqual({ data: Buffer.from('SSH-2.0-mock\r\n'), isBinary: true })
    link.send('SSH-2.0-ssh\r\n')
    expect((await bytesOf(tcp, 13)).toString()).toBe('SSH-2.0-ssh\r\n')
  })

  test('what sshd says before the link is open is kept, and messages are no longer than an old relay takes', async () => {
    await using bench = await HostBench.start('old')
    const manager = await bench.relay.wire()
    const sent = Buffer.alloc(3_000_000, 'abcdefg')
    manager.say({ action: 'connect', uri: bench.relay.linkUri(), uuid: 'u1' })
    const tcp = await bench.sshd.taken()
    tcp.write(sent)
    const link = await bench.relay.wire()

    const got: Buffer[] = []
    for (let bytes = 0; bytes < sent.length; ) {
      const { data } = await link.message()
      expect(data.length).toBeLessThanOrEqual(65_535)
      got.push(data)
      bytes += data.length
    }
    expect(Buffer.concat(got).equals(sent)).toBe(true)
  })

  test('what the client sends before sshd is there is kept', async () => {
    await using bench = await HostBench.start('old')
    const manager = await bench.relay.wire()
    const { link } = await bench.relay.client(manager)
    const sent = Buffer.alloc(2_000_000, 'xyz')
    for (let at = 0; at < sent.length; at += 50_000) link.send(sent.subarray(at, at + 50_000))

    expect((await bytesOf(await bench.sshd.taken(), 60_000)).equals(sent.subarray(0, 60_000))).toBe(true)
  })

  test('a client that speaks first is let through by an empty message', async () => {
    await using bench = await HostBench.start('old')
    const { link } = await bench.relay.client(await bench.relay.wire())
    await bench.sshd.taken()

    expect(await link.message()).toEqual({ data: Buffer.alloc(0), isBinary: true })
  })

  test.each([
    ['with an empty uri', { uri: '' }],
    ['with the uri of the connect', { uri: 'ws://127.0.0.1/shell/pend00/c1?code=k1' }],
    ['without a uri', {}],
  ])('a disconnect %s ends both ends in order, after what came before it', async (_name, more) => {
    await using bench = await HostBench.start('old')
    const manager = await bench.relay.wire()
    const { link, uuid } = await bench.relay.client(manager)
    const tcp = await bench.sshd.taken()
    tcp.write('banner')
    await link.bytes(6)
    link.send('last words')
    manager.say({ action: 'disconnect', uuid, ...more })

    expect(await link.whenClosed()).toBe(1000)
    expect((await bytesOf(tcp, 10)).toString()).toBe('last words')
    expect(await endOf(tcp)).toBe('fin')
  })

  test('what a relay must not say is ignored, and the next client is served', async () => {
    await using bench = await HostBench.start('old')
    const manager = await bench.relay.wire()
    manager.socket.send('not json')
    manager.socket.send('[]')
    manager.say({ action: 'connect', uri: '', uuid: 'x' })
    manager.say({ action: 'dance', uri: '/x', uuid: 'y' })
    manager.say({ action: 'disconnect', uri: '', uuid: 'nobody' })
    manager.say({ action: 'connect', uri: 'ws://192.0.2.1/shell/pend00/c1?code=k1', uuid: 'z' })

    const { link } = await bench.relay.client(manager)
    ;(await bench.sshd.taken()).write('b')
    expect((await link.bytes(1)).toString()).toBe('b')
    expect(bench.host.status()).toMatchObject({ refusedSessions: 1, openedSessions: 1 })
    expect(bench.sshd.waiting).toBe(0)
  })

  test('sshd that ends the connection ends the link with 1000, after its last words', async () => {
    await using bench = await HostBench.start('old')
    const { link } = await bench.relay.client(await bench.relay.wire())
    ;(await bench.sshd.taken()).end('last words')

    expect((await link.bytes(10)).toString()).toBe('last words')
    expect(await link.whenClosed()).toBe(1000)
    await expect.poll(() => bench.sshd.open).toBe(0)
    expect(bench.host.status().sessions).toEqual([])
  })

  test.each([
    ['closes', (socket: { close: (code: number) => void }) => socket.close(1000)],
    ['cuts', (socket: { terminate: () => void }) => socket.terminate()],
  ] as const)('a relay that %s the link ends the connection to sshd', async (_name, end) => {
    await using bench = await HostBench.start('old')
    const { link } = await bench.relay.client(await bench.relay.wire())
    const tcp = await bench.sshd.taken()
    tcp.write('banner')
    await link.bytes(6)
    end(link.socket)

    expect(await endOf(tcp)).toBe('fin')
    // As sshd does then.
    tcp.end()
    await expect.poll(() => bench.host.status().sessions).toEqual([])
    await expect.poll(() => bench.sshd.open).toBe(0)
  })

  test('without sshd the link is closed at once, and the status says why', async () => {
    const probe = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => probe.on('listening', resolve))
    const { port } = probe.address() as { port: number }
    probe.close()
    await using bench = await HostBench.start('old', { sshd: { host: '127.0.0.1', port } })
    const { link } = await bench.relay.client(await bench.relay.wire())

    expect(await link.whenClosed()).toBe(1000)
    expect(bench.host.status()).toMatchObject({
      unreachableSessions: 1,
      fault: { code: 'SSHD_UNREACHABLE', message: expect.stringContaining('is it running') as unknown },
    })
  })

  test('a link that the relay refuses leaves nothing behind, and a late disconnect harms nobody', async () => {
    await using bench = await HostBench.start('old')
    const manager = await bench.relay.wire()
    bench.relay.refuseLinks = 404
    manager.say({ action: 'connect', uri: bench.relay.linkUri(), uuid: 'u1' })
    const tcp = await bench.sshd.taken()

    expect(await endOf(tcp)).toBe('fin')
    manager.say({ action: 'disconnect', uri: 'ws://x/', uuid: 'u1' })
    bench.relay.refuseLinks = 0
    const { link } = await bench.relay.client(manager)
    ;(await bench.sshd.taken()).write('b')
    expect((await link.bytes(1)).toString()).toBe('b')
  })

  test('no more sessions are opened than there may be', async () => {
    await using bench = await HostBench.start('old', { maxSessions: 2 })
    const manager = await bench.relay.wire()
    for (let number = 0; number < 2; number += 1) {
      const { link } = await bench.relay.client(manager)
      ;(await bench.sshd.taken()).write('b')
      await link.bytes(1)
    }
    manager.say({ action: 'connect', uri: bench.relay.linkUri(), uuid: 'one-more' })

    await expect.poll(() => bench.host.status().refusedSessions).toBe(1)
    expect(bench.relay.waiting).toBe(0)
    expect(bench.sshd.open).toBe(2)
  })

  test('a stop ends every session and the manager', async () => {
    await using bench = await HostBench.start('old')
    const manager = await bench.relay.wire()
    const { link } = await bench.relay.client(manager)
    const tcp = await bench.sshd.taken()
    tcp.write('b')
    await link.bytes(1)
    await bench.stop()

    expect(await manager.whenClosed()).toBe(1000)
    await link.whenClosed()
    await endOf(tcp)
    expect(bench.host.status()).toMatchObject({ state: 'stopped', sessions: [] })
  })
})
