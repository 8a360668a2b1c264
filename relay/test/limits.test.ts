import { FakeClock } from '@relay/common/fake-clock'
import { describe, expect, test } from 'vitest'
import { expectSoon } from '../../common/test/support/expect-soon.ts'
import { rawHttp, rawUpgrade } from '../../common/test/support/raw-http.ts'
import { RunningRelay } from './support/running-relay.ts'
import { claimsFor, mint } from './support/tokens.ts'
import { Viewer } from './support/viewer.ts'

describe('the limits', () => {
  test('let 250 browsers with three streams each in from one address at once', async () => {
    await using running = await RunningRelay.start()
    const tokens = Array.from({ length: 250 }, (_, student) =>
      ['video', 'data', 'log'].map((stream) => {
        const topic = `exp${student}-${stream}`
        return { topic, token: mint(claimsFor(topic, { booking_id: `bk-${student}` })) }
      }),
    ).flat()
    const startedMs = performance.now()

    const statuses = await Promise.all(
      tokens.map(async ({ topic, token }) => (await running.post(topic, token)).status),
    )

    expect(statuses.filter((status) => status !== 200)).toEqual([])
    expect(performance.now() - startedMs).toBeLessThan(10_000)
  })

  test('let a class of 250 in that shares one booking', async () => {
    await using running = await RunningRelay.start()
    const token = mint(claimsFor('shared-video', { booking_id: 'bk-class' }))

    const statuses = await Promise.all(
      Array.from({ length: 250 }, async () => (await running.post('shared-video', token)).status),
    )

    expect(new Set(statuses)).toEqual(new Set([200]))
  })

  test('stop a flood from one address with 429 and the time to wait', async () => {
    await using running = await RunningRelay.start({ settings: { ACCESS_ADDRESS_REQUESTS: '20' } })
    const token = mint(claimsFor('t'))
    const responses = await Promise.all(Array.from({ length: 30 }, () => running.post('t', token)))

    const refused = responses.filter(({ status }) => status === 429)

    expect(refused.length).toBeGreaterThan(0)
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect(await refused[0]?.json()).toEqual({ code: 429, message: 'too many requests: try again later' })
  })

  test('count a proxy’s clients apart, and believe nobody else', async () => {
    await using running = await RunningRelay.start({
      settings: { ACCESS_ADDRESS_REQUESTS: '5', ACCESS_PER: '1h' },
    })
    const from = async (address: string): Promise<number> =>
      (await fetch(`${running.access}/healthz`, { headers: { 'x-forwarded-for': address } })).status
    for (let count = 0; count < 5; count++) expect(await from('192.0.2.1')).toBe(200)

    expect(await from('192.0.2.1')).toBe(429)
    expect(await from('9.9.9.9, 192.0.2.1')).toBe(429)
    expect(await from('192.0.2.2')).toBe(200)
  })

  test('slow down who brings bad tokens, and nobody beside', async () => {
    await using running = await RunningRelay.start({
      settings: { ACCESS_REFUSED_REQUESTS: '3', ACCESS_PER: '1h' },
    })
    const statuses: number[] = []
    for (let count = 0; count < 5; count++) statuses.push((await running.post('t', 'bad.token.x')).status)

    expect(statuses).toEqual([401, 401, 401, 429, 429])
    expect((await running.post('t', mint(claimsFor('t')))).status).toBe(200)
  })

  test('are per booking and topic, or per token', async () => {
    await using running = await RunningRelay.start({
      settings: { ACCESS_SUBJECT_REQUESTS: '2', ACCESS_PER: '1h' },
    })
    const ask = async (more: object): Promise<number> =>
      (await running.post('t', mint(claimsFor('t', { ...more })))).status

    expect([await ask({ booking_id: 'a' }), await ask({ booking_id: 'a', jti: '2' })]).toEqual([200, 200])
    expect(await ask({ booking_id: 'a', jti: '3' })).toBe(429)
    expect(await ask({ booking_id: 'b' })).toBe(200)
    expect(await ask({ jti: '4' })).toBe(200)
  })
})

describe('connections', () => {
  test('are limited in all: 503 at both ports, and the code lives on', async () => {
    await using running = await RunningRelay.start({ settings: { RELAY_MAX_CONNECTIONS: '2' } })
    const [first, , waiting] = [
      await running.join('t'),
      await running.address('t'),
      await running.address('t'),
    ]
    const second = await running.join('t')
    await expect(Viewer.dial(waiting)).rejects.toThrow('refused with 503')
    const refused = await running.post('t', mint(claimsFor('t')))
    expect(refused.status).toBe(503)
    expect(refused.headers.get('retry-after')).toBe('10')

    first.socket.close()
    await first.end()

    await expectSoon(() => running.relay.exchange.connections.size).toBe(1)
    const third = await Viewer.dial(waiting)
    third.terminate()
    second.terminate()
  })

  test('are limited by booking or token: 429', async () => {
    await using running = await RunningRelay.start({ settings: { RELAY_MAX_CONNECTIONS_PER_SUBJECT: '1' } })
    const address = await running.address('t', { booking_id: 'a' })
    await running.join('t', { booking_id: 'a' })

    await expect(Viewer.dial(address)).rejects.toThrow('refused with 429')
    await expect(running.join('t', { booking_id: 'a' })).rejects.toThrow('429')
    await running.join('t', { booking_id: 'b' })
  })

  test('codes are bounded: the oldest gives way', async () => {
    await using running = await RunningRelay.start({ settings: { RELAY_MAX_CODES: '2' } })
    const [first, second] = [await running.address('t'), await running.address('t')]
    await running.address('t')

    await expect(Viewer.dial(first)).rejects.toThrow('refused with 401')
    const viewer = await Viewer.dial(second)
    viewer.terminate()
  })
})

test('addresses that cannot be read count as refused, and are limited like all others', async () => {
  await using running = await RunningRelay.start({
    settings: { ACCESS_ADDRESS_REQUESTS: '3', ACCESS_PER: '1h' },
  })
  const statuses: (number | undefined)[] = []
  for (let count = 0; count < 5; count++) {
    statuses.push((await rawHttp(running.ports.access, { target: '/session/%zz' }))?.status)
  }

  expect(statuses).toEqual([400, 400, 400, 429, 429])
  expect(running.relay.refusedRequests).toMatchObject({ BAD_ADDRESS: 3, TOO_MANY_REQUESTS: 2 })
})

describe('messages that never become whole', () => {
  /** Joins and sends the beginning of a message of 10 MiB. */
  async function begin(running: RunningRelay, topic: string, scopes: readonly string[], bytes: number) {
    const { socket } = await rawUpgrade(await running.address(topic, { scopes }))
    socket.write(Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0x9f, 0xff, 0xff, 0, 0, 0, 0]))
    socket.write(Buffer.alloc(bytes))
    const { connections } = running.relay.exchange
    await expectSoon(() => [...connections].at(-1)?.unfinished.bytes).toBeGreaterThanOrEqual(bytes)
    return socket
  }

  test('are cut where all together are too large: those of the topic with the most, the oldest first', async () => {
    const clock = new FakeClock(Date.now())
    const settings = { RELAY_MAX_UNFINISHED_BYTES: '8MiB' }
    await using running = await RunningRelay.start({ clock, settings })
    const { closed, connections } = running.relay.exchange
    await begin(running, 'other', ['write'], 1_048_576)
    for (let count = 0; count < 3; count++) await begin(running, 'hostile', ['write'], 4_194_304)

    await clock.advance(3000)

    expect(closed.unfinished).toBe(2)
    await expectSoon(() => [...connections].map(({ permission }) => permission.topic)).toEqual([
      'other',
      'hostile',
    ])
  })

  test('are cut in the end, the same for who may write and who may not (spec session 6.2)', async () => {
    const clock = new FakeClock(Date.now())
    await using running = await RunningRelay.start({ clock })
    const { closed } = running.relay.exchange
    await begin(running, 't', ['read'], 1_100_000)
    await begin(running, 't', ['write'], 100_000)

    // More than 1 MiB has until 30 s and 34 s more; a peer that never pongs is gone at 60 s.
    await clock.advance(20_000)
    expect(closed.unfinished).toBe(0)
    await clock.advance(20_000)
    expect(closed.unfinished).toBe(1)
    expect(closed.silent).toBe(0)
    await clock.advance(25_000)
    expect(closed.unfinished + closed.silent).toBe(2)
  })
})
