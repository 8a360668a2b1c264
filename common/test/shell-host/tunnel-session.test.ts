import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { FakeRelay, type Wire } from './fake-relay.ts'
import { bytesOf, endOf } from './fake-sshd.ts'
import { HostBench } from './host-bench.ts'

const session = 'abcdefghijklmnopqrstuv'

/** A port of this machine at which nothing listens. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => probe.on('listening', resolve))
  const { port } = probe.address() as { port: number }
  await new Promise((resolve) => probe.close(resolve))
  return port
}

/** PROTOCOL.md, "Between the ends". */
describe('with our relay and a client of ours', () => {
  test('a session is opened, and its bytes go both ways', async () => {
    await using bench = await HostBench.start('ours')
    const link = await bench.tunnel(await bench.relay.wire())
    const tcp = await bench.sshd.taken()

    expect(await link.heard('opened')).toMatchObject({ received: 0, window: 4_194_304 })
    tcp.write('SSH-2.0-mock\r\n')
    expect((await link.bytes(14)).toString()).toBe('SSH-2.0-mock\r\n')
    link.send('SSH-2.0-ssh\r\n')
    expect((await bytesOf(tcp, 13)).toString()).toBe('SSH-2.0-ssh\r\n')
    expect(bench.host.status()).toMatchObject({
      relay: 'ours',
      openedSessions: 1,
      receivedBytes: 13,
      sentBytes: 14,
      sessions: [{ id: 'abcdefgh', kind: 'tunnel', state: 'live' }],
    })
  })

  test('a session goes on over another link with the same token: no byte is lost, sshd notices nothing', async () => {
    await using bench = await HostBench.start('ours')
    const manager = await bench.relay.wire()
    const first = await bench.tunnel(manager)
    const tcp = await bench.sshd.taken()
    await first.heard('opened')
    first.send('before')
    expect((await bytesOf(tcp, 6)).toString()).toBe('before')
    first.socket.terminate()
    await expect.poll(() => bench.host.status().sessions).toMatchObject([{ state: 'parked' }])
    tcp.write('said while it was parked')

    const second = await bench.tunnel(manager, { resume: true } as object)
    expect(await second.heard('opened')).toMatchObject({ received: 6 })
    expect((await second.bytes(24)).toString()).toBe('said while it was parked')
    second.send(', after')
    expect((await bytesOf(tcp, 7)).toString()).toBe(', after')
    expect(bench.host.status()).toMatchObject({ resumedSessions: 1, openedSessions: 1 })
    expect(bench.sshd.open).toBe(1)
  })

  test('a link that comes while the old one seems to live carries the session, and the old one is closed', async () => {
    await using bench = await HostBench.start('ours')
    const manager = await bench.relay.wire()
    const first = await bench.tunnel(manager)
    await bench.sshd.taken()
    await first.heard('opened')

    const second = await bench.tunnel(manager, { resume: true } as object)
    await second.heard('opened')
    expect(await first.whenClosed()).toBe(1000)
    expect(bench.host.status().sessions).toMatchObject([{ state: 'live', resumes: 1 }])
  })

  test('an attempt that comes in behind a later one does not get the session', async () => {
    await using bench = await HostBench.start('ours')
    const manager = await bench.relay.wire()
    const first = await bench.tunnel(manager, { attempt: 1 } as object)
    const tcp = await bench.sshd.taken()
    await first.heard('opened')
    const third = await bench.tunnel(manager, { resume: true, attempt: 3 } as object)
    await third.heard('opened')

    const second = await bench.tunnel(manager, { resume: true, attempt: 2 } as object)
    expect(await second.whenClosed()).toBe(1000)
    tcp.write('to the third')
    expect((await third.bytes(12)).toString()).toBe('to the third')
  })

  test('another token does not get the session', async () => {
    await using bench = await HostBench.start('ours')
    const manager = await bench.relay.wire()
    const first = await bench.tunnel(manager)
    await bench.sshd.taken()
    await first.heard('opened')

    const second = await bench.tunnel(manager, { resume: true, token: '1'.repeat(32) } as object)
    expect(await second.heard('refused')).toMatchObject({ code: 'TOKEN_CHANGED' })
    expect(await second.whenClosed()).toBe(1000)
    expect(first.closed).toBeUndefined()
  })

  test('a session that the host does not know cannot be gone on with', async () => {
    await using bench = await HostBench.start('ours')
    const link = await bench.tunnel(await bench.relay.wire(), { resume: true } as object)

    expect(await link.heard('refused')).toMatchObject({ code: 'SESSION_UNKNOWN' })
    expect(await link.whenClosed()).toBe(1000)
    expect(bench.sshd.waiting).toBe(0)
  })

  test.each([
    [
      'an open that is none',
      (link: Wire) => link.say({ type: 'open', session: '?', resume: false, received: 0 }),
    ],
    ['an open that breaks off', (link: Wire) => link.socket.send('{"type":"open","session":"abcdefghij')],
    ['bytes before any open', (link: Wire) => link.send('SSH-2.0-ssh\r\n')],
  ])('%s is refused at once, in words', async (_what, begin) => {
    await using bench = await HostBench.start('ours')
    const { link } = await bench.relay.client(await bench.relay.wire(), { peer: 'tunnel', token: '0' })
    link.say({ type: 'paired', peer: 'tunnel' })
    const saidAtMs = performance.now()
    begin(link)

    expect(await link.heard('refused')).toMatchObject({
      code: 'BAD_REQUEST',
      message: expect.stringMatching(/^the (host does not understand|client sent bytes before)/) as unknown,
    })
    expect(performance.now() - saidAtMs).toBeLessThan(5_000)
    expect(await link.whenClosed()).toBe(1000)
    expect(bench.sshd.waiting).toBe(0)
  })

  test('words of a later version before the open change nothing', async () => {
    await using bench = await HostBench.start('ours')
    const { link } = await bench.relay.client(await bench.relay.wire(), { peer: 'tunnel', token: '0' })
    link.say({ type: 'paired', peer: 'tunnel' })
    link.say({ type: 'hello', version: 2 })
    link.say({ type: 'open', session, resume: false, received: 0, window: 4_194_304, colour: 'red' })

    expect(await link.heard('opened')).toBeDefined()
  })

  test('without sshd the person hears it in words within a second', async () => {
    await using bench = await HostBench.start('ours', {
      sshd: { host: 'localhost', port: await freePort() },
    })
    const manager = await bench.relay.wire()
    const askedAtMs = performance.now()
    const link = await bench.tunnel(manager)
    const { code, message } = await link.heard('refused')

    expect(performance.now() - askedAtMs).toBeLessThan(1_000)
    expect(code).toBe('SSHD_UNREACHABLE')
    expect(message).toMatch(/^sshd at localhost:\d+ of the experiment refuses connections: is it running/)
    expect(await link.whenClosed()).toBe(1000)
  })

  test('sshd that does not answer at all is given up in time', async () => {
    await using bench = await HostBench.start('ours', {
      dialSshd: undefined,
      sshd: { host: '127.0.0.1', port: await freePort() },
      sshdWithinMs: 0,
    } as object)
    const link = await bench.tunnel(await bench.relay.wire())

    expect(await link.heard('refused')).toMatchObject({ code: 'SSHD_UNREACHABLE' })
  })

  test('beyond the limit a client hears it in words, and a running session can still be gone on with', async () => {
    await using bench = await HostBench.start('ours', { maxSessions: 1 })
    const manager = await bench.relay.wire()
    const first = await bench.tunnel(manager)
    await first.heard('opened')

    const more = await bench.tunnel(manager, { session: 'another-session-of-it' })
    expect(await more.heard('refused')).toMatchObject({
      code: 'TOO_MANY_SESSIONS',
      message: 'the host has 1 sessions, and takes no more',
    })
    const again = await bench.tunnel(manager, { resume: true } as object)
    expect(await again.heard('opened')).toBeDefined()
    expect(bench.sshd.open).toBe(1)
  })

  test('half-closes go both ways, and the session ends when both are done', async () => {
    await using bench = await HostBench.start('ours')
    const link = await bench.tunnel(await bench.relay.wire())
    const tcp = await bench.sshd.taken()
    await link.heard('opened')
    link.send('question')
    link.say({ type: 'fin', at: 8 })
    expect((await bytesOf(tcp, 8)).toString()).toBe('question')
    expect(await endOf(tcp)).toBe('fin')
    tcp.end('answer')

    expect((await link.bytes(6)).toString()).toBe('answer')
    expect(await link.heard('fin')).toMatchObject({ at: 6 })
    link.socket.send('a7')
    link.socket.close(1000)
    await expect.poll(() => bench.host.status().sessions).toEqual([])
  })

  test('a reset of sshd is told in words', async () => {
    await using bench = await HostBench.start('ours')
    const link = await bench.tunnel(await bench.relay.wire())
    const tcp = await bench.sshd.taken()
    await link.heard('opened')
    tcp.resetAndDestroy()

    expect(await link.heard('reset')).toMatchObject({ message: expect.stringMatching(/\w/) as unknown })
    expect(await link.whenClosed()).toBe(1000)
  })

  test('a stop is told in words, and sshd sees a broken connection', async () => {
    await using bench = await HostBench.start('ours')
    const link = await bench.tunnel(await bench.relay.wire())
    const tcp = await bench.sshd.taken()
    await link.heard('opened')
    await bench.stop()

    expect(await link.heard('reset')).toMatchObject({
      code: 'HOST_STOPPED',
      message: 'the shell host was stopped or started anew; connect again',
    })
    expect(await endOf(tcp)).toBe('rst')
  })

  test('a stop in the middle of a fast download is told behind all that is under way', async () => {
    await using bench = await HostBench.start('ours')
    const link = await bench.tunnel(await bench.relay.wire())
    const tcp = await bench.sshd.taken()
    await link.heard('opened')
    link.socket.pause()
    tcp.on('error', () => undefined)
    tcp.write(Buffer.alloc(8_388_608))
    // A window is under way, most of it in the buffers of TCP.
    await expect
      .poll(() => bench.host.status().sessions[0]?.sentBytes, { timeout: 60_000 })
      .toBeGreaterThan(4_000_000)
    let got = 0
    link.socket.on('message', (data: Buffer, isBinary) => {
      if (!isBinary) return
      got += data.length
      // As a client that takes it at once: a host that has left answers them with a reset of the connection.
      link.socket.send(`a${got}`)
    })
    const stopped = bench.stop()
    link.socket.resume()

    expect(await link.heard('reset')).toMatchObject({ code: 'HOST_STOPPED' })
    expect(await link.whenClosed()).toBe(1000)
    await stopped
    expect(got).toBeGreaterThan(4_000_000)
  })

  test('a stop waits no longer than a moment for a relay that takes nothing', async () => {
    await using bench = await HostBench.start('ours')
    const link = await bench.tunnel(await bench.relay.wire())
    await link.heard('opened')
    link.socket.pause()
    const sinceMs = performance.now()
    await bench.stop()

    expect(performance.now() - sinceMs).toBeGreaterThan(1_500)
    expect(bench.host.status().sessions).toEqual([])
  })

  test('parked sessions hold no more than they may: the one without a link for longest ends', async () => {
    await using bench = await HostBench.start('ours', { maxParkedBytes: 1_500_000 })
    const manager = await bench.relay.wire()
    for (const id of ['first-session-of-all-x', 'second-session-of-it-x']) {
      const link = await bench.tunnel(manager, { session: id })
      const tcp = await bench.sshd.taken()
      await link.heard('opened')
      link.socket.terminate()
      await expect
        .poll(() => bench.host.status().sessions.every(({ state }) => state === 'parked'))
        .toBe(true)
      tcp.write(Buffer.alloc(1_000_000))
    }

    await expect.poll(() => bench.host.status().lostSessions).toBe(1)
    expect(bench.host.status().sessions).toMatchObject([{ id: 'second-s' }])
  })

  test.each(['nothing at all', 'bytes'])(
    'a client that opens nothing but says %s gets no sshd',
    async (what) => {
      await using bench = await HostBench.start('ours')
      const manager = await bench.relay.wire()
      const { link } = await bench.relay.client(manager, { peer: 'tunnel', token: '0'.repeat(32) })
      link.say({ type: 'paired', peer: 'tunnel' })
      if (what === 'bytes') link.send('x'.repeat(100))
      link.socket.terminate()

      const next = await bench.tunnel(manager)
      await next.heard('opened')
      expect(bench.sshd.open).toBe(1)
    },
  )

  test('an old client by way of our relay gets bytes alone, after the relay says so', async () => {
    await using bench = await HostBench.start('ours')
    const { link } = await bench.relay.client(await bench.relay.wire(), { peer: 'plain' })
    const tcp = await bench.sshd.taken()
    tcp.write('banner')
    link.say({ type: 'paired', peer: 'plain' })
    link.send('ident')

    expect((await bytesOf(tcp, 5)).toString()).toBe('ident')
    expect(await link.message()).toEqual({ data: Buffer.from('banner'), isBinary: true })
    expect(bench.host.status().sessions).toMatchObject([{ kind: 'plain' }])
  })
})

describe('the manager', () => {
  test('a host that is told to stand by says so until it is in charge again', async () => {
    await using bench = await HostBench.start('ours')
    const manager = await bench.relay.wire()
    manager.say({ action: 'standby' })
    await expect.poll(() => bench.host.status().state).toBe('standby')
    manager.say({ action: 'active' })
    await expect.poll(() => bench.host.status().state).toBe('live')
  })

  test('a relay that goes leaves the sessions alone, and the host comes back', async () => {
    await using bench = await HostBench.start('ours')
    const manager = await bench.relay.wire()
    const link = await bench.tunnel(manager)
    const tcp = await bench.sshd.taken()
    await link.heard('opened')
    manager.socket.close(1001, 'relay-stopping')

    const again = await bench.relay.wire()
    expect(again.path).toMatch(/^\/shell\/pend00\?code=m/)
    tcp.write('still here')
    expect((await link.bytes(10)).toString()).toBe('still here')
    expect(bench.host.status()).toMatchObject({ connects: 2, state: 'live' })
  })

  test('a session outlives a relay that is started anew', async () => {
    await using bench = await HostBench.start('ours')
    const first = await bench.tunnel(await bench.relay.wire())
    const tcp = await bench.sshd.taken()
    await first.heard('opened')
    const { port } = bench.relay
    await bench.relay[Symbol.asyncDispose]()
    tcp.write('said in between')

    await using relay = await FakeRelay.start('ours', port)
    const manager: Wire = await relay.wire()
    const { link } = await relay.client(manager, { peer: 'tunnel', token: '0'.repeat(32) })
    link.say({ type: 'paired', peer: 'tunnel' })
    link.say({ type: 'open', session, resume: true, received: 0, window: 4_194_304 })
    await link.heard('opened')
    expect((await link.bytes(15)).toString()).toBe('said in between')
  })

  test.each([
    ['a token that is refused', { status: 401, body: '"Token Missing Required Claims"\n' }, 'ACCESS_REFUSED'],
    ['an answer without address', { status: 500, body: '{"code":500,"message":"x"}' }, 'ACCESS_BAD_ANSWER'],
    ['an access server that is busy', { status: 429, body: '{}' }, 'RETRY_LATER'],
  ])('%s is tried again, and told', async (_name, refusal, code) => {
    const relay = await FakeRelay.start('ours')
    relay.refusals.push(refusal)
    await using bench = await HostBench.start('ours', { access: relay.access })
    await expect.poll(() => bench.host.status()).toMatchObject({ state: 'waiting', fault: { code } })
    await relay.wire()
    await expect.poll(() => bench.host.status()).toMatchObject({ state: 'live', fault: undefined })
    await relay[Symbol.asyncDispose]()
  })
})
