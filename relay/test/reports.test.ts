import { FakeClock } from '@relay/common/fake-clock'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { freePort } from '../../common/test/support/free-port.ts'
import { RunningRelay } from './support/running-relay.ts'
import { adminToken } from './support/tokens.ts'
import { Viewer } from './support/viewer.ts'

const goTime: unknown = expect.stringMatching(
  /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? \+0000 UTC m=\+\d+\.\d+$/,
)
const goDuration: unknown = expect.stringMatching(/^[\d.]+(µs|ms|s)$/)
const rfc3339: unknown = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
const number: unknown = expect.any(Number)

interface Element {
  readonly topic: string
  readonly [key: string]: unknown
}

function reportsOf(viewer: Viewer): readonly (readonly Element[])[] {
  return viewer.texts
    .filter((text) => text.startsWith('['))
    .map((text) => JSON.parse(text) as readonly Element[])
}

describe('the stats topic', () => {
  test('of the older generation reports traffic, when asked', async () => {
    await using running = await RunningRelay.start({ generation: '0.2.2' })
    const [asker, speaker, listener] = [
      await running.join('stats'),
      await running.join('t', { scopes: ['write'] }),
      await running.join('t', { scopes: ['read'] }),
    ]
    speaker.send('12345')
    await listener.hear(1)

    asker.send('{"cmd":"update"}')
    await asker.hear(1)

    expect(asker.heard[0]?.isBinary).toBe(false)
    const [report = []] = reportsOf(asker)
    expect(report[0]).toMatchObject({ topic: 'stats', remoteAddr: 'internal', userAgent: 'crossbar' })
    const onTopic = report.filter(({ topic }) => topic === 't')
    expect(onTopic).toHaveLength(2)
    expect(onTopic[0]).toEqual({
      topic: 't',
      canRead: false,
      canWrite: true,
      connected: goTime,
      remoteAddr: '',
      userAgent: '',
      stats: {
        tx: { last: goDuration, size: 5, fps: number },
        rx: { last: 'Never', size: 0, fps: 0 },
      },
    })
    expect(onTopic[1]).toMatchObject({ stats: { tx: { last: 'Never' }, rx: { size: 5 } } })
  })

  test('of the newer generation reports permissions, and the address that a trusted proxy gives', async () => {
    await using running = await RunningRelay.start()
    const asker = await running.join('stats')
    const address = await running.address('t', { scopes: ['write'] })
    const other = new WebSocket(address, { headers: { 'x-forwarded-for': '192.0.2.9', 'user-agent': 'u' } })
    await new Promise((resolve) => {
      other.once('open', resolve)
    })

    asker.send(Buffer.from('{"cmd":"update"}'))
    await asker.hear(1)

    expect(reportsOf(asker)[0]).toContainEqual({
      canRead: false,
      canWrite: true,
      connected: rfc3339,
      expiresAt: rfc3339,
      remoteAddr: '192.0.2.9',
      scopes: ['write'],
      topic: 't',
      userAgent: 'u',
    })
    expect(reportsOf(asker)[0]).toContainEqual(
      expect.objectContaining({
        topic: 'stats',
        expiresAt: '1970-01-01T00:00:00Z',
        scopes: ['read', 'stats', 'write'],
      }),
    )
    other.terminate()
  })

  test('reports every 6 s unasked, and at most once a second however often it is asked', async () => {
    const clock = new FakeClock(Date.now())
    await using running = await RunningRelay.start({ clock })
    const asker = await running.join('stats')
    await clock.advance(5900)
    await asker.settle()
    expect(reportsOf(asker)).toHaveLength(0)
    await clock.advance(200)
    await asker.hear(1)

    for (let count = 0; count < 50; count++) asker.send('{"cmd":"update"}')
    await asker.settle()
    await clock.advance(800)
    await asker.settle()
    expect(reportsOf(asker)).toHaveLength(1)
    await clock.advance(200)
    await asker.hear(2)
    await clock.advance(900)
    await asker.settle()

    expect(reportsOf(asker)).toHaveLength(2)
  })

  test('answers nobody who may not speak there', async () => {
    const clock = new FakeClock(Date.now())
    await using running = await RunningRelay.start({ clock })
    const asker = await running.join('stats', { scopes: ['read'] })
    asker.send('{"cmd":"update"}')
    await asker.settle()

    await clock.advance(3000)

    await asker.settle()
    expect(asker.heard).toEqual([])
  })
})

describe('the status', () => {
  test('lists who is there, and not who has left', async () => {
    await using running = await RunningRelay.start()
    const [reader, leaver] = [await running.join('t', { scopes: ['read'] }), await running.join('t')]
    leaver.socket.close()
    await leaver.end()
    const status = async (): Promise<readonly Element[]> =>
      (await (
        await running.ask('GET', '/status', await adminToken('relay:stats'))
      ).json()) as readonly Element[]

    const list = await status()

    expect(list.filter(({ topic }) => topic === 't')).toEqual([
      {
        can_read: true,
        connected_at: rfc3339,
        expires_at: rfc3339,
        scopes: ['read'],
        topic: 't',
      },
    ])
    expect(list[0]).toMatchObject({ topic: 'stats', remote_addr: 'internal', user_agent: 'crossbar' })
    reader.terminate()
  })
})

describe('the metrics', () => {
  test('are on their own address, count what happened, and name no topic', async () => {
    const port = await freePort()
    await using running = await RunningRelay.start({ settings: { METRICS_PORT: String(port) } })
    const [speaker, listener] = [await running.join('spin30-video'), await running.join('spin30-video')]
    speaker.send('12345')
    await listener.hear(1)
    await running.post('t', 'bad.token.x')
    await Viewer.dial(`ws://127.0.0.1:${running.ports.relay}/session/t?code=x`).catch(() => {})

    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()

    for (const line of [
      'relay_connections{topic_class="video"} 2',
      'relay_received_messages_total 1',
      'relay_received_bytes_total 5',
      'relay_offered_messages_total 1',
      'relay_delivered_messages_total 1',
      'relay_delivered_bytes_total 5',
      'relay_dropped_messages_total{reason="slow"} 0',
      'relay_granted_codes_total 2',
      'relay_codes 0',
      'relay_refused_requests_total{reason="TOKEN_INVALID"} 1',
      'relay_refused_upgrades_total{reason="bad-code"} 1',
      'relay_secrets 1',
    ]) {
      expect(text.split('\n')).toContain(line)
    }
    expect(text).toContain('relay_nodejs_eventloop_lag_seconds')
    expect(text).not.toContain('spin30')
    expect((await fetch(`${running.access}/metrics`)).status).toBe(404)
  })
})
