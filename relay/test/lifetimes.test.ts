import { once } from 'node:events'
import { FakeClock } from '@relay/common/fake-clock'
import { describe, expect, test } from 'vitest'
import { expectSoon } from '../../common/test/support/expect-soon.ts'
import { rawUpgrade } from '../../common/test/support/raw-http.ts'
import { RunningRelay } from './support/running-relay.ts'
import { adminToken, claimsFor, mint } from './support/tokens.ts'
import { Viewer } from './support/viewer.ts'

const nowSec = (): number => Math.floor(Date.now() / 1000)

describe('a connection ends with its token', () => {
  test('at that second, with a reason, and the others stay', async () => {
    await using running = await RunningRelay.start()
    const endsAtSec = nowSec() + 2
    const [ending, staying] = await Promise.all([running.join('t', { exp: endsAtSec }), running.join('t')])

    const { code, reason } = await ending.end()

    expect([code, reason]).toEqual([1008, 'token expired'])
    expect(Date.now()).toBeGreaterThanOrEqual(endsAtSec * 1000)
    expect(Date.now()).toBeLessThan(endsAtSec * 1000 + 900)
    await staying.settle()
    expect(staying.closed).toBeUndefined()
  })

  test.each([
    ['in 25 days', 25 * 86_400],
    ['in a year', 365 * 86_400],
    ['in 400 years', 400 * 366 * 86_400],
    ['in milliseconds by mistake', 1_700_000_000_000],
  ])('an end that lies %s ahead does not come early', async (_what, aheadSec) => {
    const clock = new FakeClock(Date.now())
    await using running = await RunningRelay.start({ clock })
    const viewer = await running.join('t', { exp: nowSec() + aheadSec })

    // Less than the deadline for pongs, which the real peer cannot meet in this time.
    await clock.advance(50_000)

    await viewer.settle()
    expect(viewer.closed).toBeUndefined()
  })

  test('a code is no good once the token has ended', async () => {
    const clock = new FakeClock(Date.now())
    await using running = await RunningRelay.start({ clock })
    const address = await running.address('t', { exp: nowSec() + 10 })
    await clock.advance(11_000)

    await expect(Viewer.dial(address)).rejects.toThrow('refused with 401')
  })
})

describe('a code', () => {
  test('lives for 30 s', async () => {
    const clock = new FakeClock(Date.now())
    await using running = await RunningRelay.start({ clock })
    const [used, late] = await Promise.all([running.address('t'), running.address('t')])
    await clock.advance(29_900)
    const viewer = await Viewer.dial(used)
    viewer.terminate()

    await clock.advance(200)

    await expect(Viewer.dial(late)).rejects.toThrow('refused with 401')
  })
})

describe('a peer', () => {
  test('is pinged after 54 s, and dropped at 60 s when it never answers, however much it sends', async () => {
    const clock = new FakeClock(Date.now())
    await using running = await RunningRelay.start({ clock })
    const { socket } = await rawUpgrade(await running.address('t'))
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => chunks.push(chunk))
    const closed = once(socket, 'close')
    await clock.advance(53_500)
    expect(chunks).toEqual([])
    const pinged = once(socket, 'data')
    await clock.advance(1000)
    await pinged
    expect(Buffer.concat(chunks)).toEqual(Buffer.from([0x89, 0]))
    socket.write(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x41]))
    await clock.advance(4400)
    expect(socket.destroyed).toBe(false)

    await clock.advance(2000)

    await closed
    expect(Buffer.concat(chunks)).toHaveLength(2)
  })

  test('that answers pings stays', async () => {
    const clock = new FakeClock(Date.now())
    await using running = await RunningRelay.start({ clock })
    const viewer = await running.join('t', { exp: nowSec() + 100_000 })
    for (let round = 0; round < 4; round++) {
      const pinged = once(viewer.socket, 'ping')
      await clock.advance(54_000)
      await pinged
      // The pong has arrived when something sent behind it has been answered.
      await viewer.settle()
    }

    expect(viewer.closed).toBeUndefined()
  })
})

describe('a denial', () => {
  // Retried, as the 100 ms hold for the relay and not for a machine that is busy with something else.
  test('ends live connections of the booking within 100 ms, and no others', { retry: 3 }, async () => {
    await using running = await RunningRelay.start()
    const admin = await adminToken('relay:admin')
    const [denied, other, alsoDenied] = await Promise.all([
      running.join('t', { booking_id: 'bk-1' }),
      running.join('t', { booking_id: 'bk-2' }),
      running.join('u', { booking_id: 'bk-1' }),
    ])
    const startedMs = performance.now()

    await running.ask('POST', `/bids/deny?bid=bk-1&exp=${nowSec() + 60}`, admin)

    const ends = await Promise.all([denied.end(), alsoDenied.end()])
    for (const { code, reason, atMs } of ends) {
      expect([code, reason]).toEqual([1008, 'booking cancelled'])
      expect(atMs - startedMs).toBeLessThan(100)
    }
    await other.settle()
    expect(other.closed).toBeUndefined()
  })

  test('takes effect in the same moment: what the peer sends after it reaches nobody', async () => {
    await using running = await RunningRelay.start()
    const { socket } = await rawUpgrade(await running.address('t', { booking_id: 'bk-1' }))
    const listener = await running.join('t')
    await running.ask('POST', `/bids/deny?bid=bk-1&exp=${nowSec() + 60}`, await adminToken('relay:admin'))

    // This peer does not answer the close frame, and goes on.
    socket.write(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x41]))
    await once(socket, 'close')

    await listener.settle()
    expect(listener.heard).toEqual([])
  })

  test('makes codes that wait worthless, and later codes and tokens too, until it is taken back', async () => {
    await using running = await RunningRelay.start()
    const admin = await adminToken('relay:admin')
    const waiting = await running.address('t', { booking_id: 'bk-1' })

    await running.ask('POST', `/bids/deny?bid=bk-1&exp=${nowSec() + 60}`, admin)

    await expect(Viewer.dial(waiting)).rejects.toThrow('refused with 401')
    expect((await running.post('t', mint(claimsFor('t', { booking_id: 'bk-1' })))).status).toBe(400)
    await running.ask('POST', `/bids/allow?bid=bk-1&exp=${nowSec() + 60}`, admin)
    const viewer = await running.join('t', { booking_id: 'bk-1' })
    await viewer.settle()
  })

  test('the same booking may be denied and allowed again and again, with live connections', async () => {
    await using running = await RunningRelay.start()
    const admin = await adminToken('relay:admin')
    for (let round = 0; round < 5; round++) {
      const viewer = await running.join('t', { booking_id: 'bk-1' })
      await running.ask('POST', `/bids/deny?bid=bk-1&exp=${nowSec() + 60}`, admin)
      await viewer.end()
      await running.ask('POST', `/bids/allow?bid=bk-1&exp=${nowSec() + 60}`, admin)
    }

    await expectSoon(() => running.relay.exchange.connections.size).toBe(0)
  })

  test('leaves the list when the booking is over', async () => {
    const clock = new FakeClock(Date.now())
    await using running = await RunningRelay.start({ clock, settings: { TIDY_EVERY: '1s' } })
    const admin = await adminToken('relay:admin')
    await running.ask('POST', `/bids/deny?bid=bk-1&exp=${nowSec() + 10}`, admin)
    expect(await (await running.ask('GET', '/bids/deny', admin)).json()).toEqual({ booking_ids: ['bk-1'] })

    await clock.advance(13_000)

    expect(await (await running.ask('GET', '/bids/deny', admin)).json()).toEqual({ booking_ids: [] })
  })

  test('races with nobody: whatever comes at the same time, nothing of the booking is left', async () => {
    await using running = await RunningRelay.start()
    const admin = await adminToken('relay:admin')
    const token = mint(claimsFor('t', { booking_id: 'bk-1' }))
    const attempts = Array.from({ length: 40 }, async () => {
      const response = await running.post('t', token)
      if (response.status !== 200) return
      const { uri } = (await response.json()) as { uri: string }
      const address = uri.replace('ws://relay.invalid', `ws://127.0.0.1:${running.ports.relay}`)
      await Viewer.dial(address).then(
        (viewer) => viewer.end(),
        () => {},
      )
    })
    await running.ask('POST', `/bids/deny?bid=bk-1&exp=${nowSec() + 60}`, admin)

    await Promise.all(attempts)

    await expectSoon(() => running.relay.exchange.connections.size).toBe(0)
    expect(await (await running.ask('GET', '/bids/allow', admin)).json()).toEqual({ booking_ids: [] })
  })
})
