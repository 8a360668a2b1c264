import { FakeClock } from '@relay/common/fake-clock'
import { expect, test } from 'vitest'
import { Heartbeat } from './heartbeat.ts'
import { heartbeatMessage } from './heartbeat-message.ts'
import { madeUpReport } from './made-up-report.ts'
import type { StatusReport } from './status-report.ts'

const reportOf = (parts: Readonly<Record<string, unknown>>): StatusReport =>
  madeUpReport(parts, {
    pid: 7,
    atMs: 60_000,
    upMs: 42_500,
    activity: [{ part: 'camera front', perSecond: 23.96, quietMs: 40 }],
  })

const secret = 'wss://relay.example/session/x?code=00000000-0000-0000-0000-000000000000'
const camera = { name: 'front', state: 'live', stderr: [secret] }
const lost = {
  id: 'pend00-video',
  state: { kind: 'waiting' },
  destination: secret,
  fault: { code: 'RELAY_LOST', message: secret, atMs: 50_000 },
}

test('it says states, rates and codes of faults, and no words of anybody', () => {
  const message = heartbeatMessage(reportOf({ cameras: [camera], uplinks: [lost] }), 51.2)

  expect(JSON.parse(message)).toEqual({
    heartbeat: 1,
    name: 'pend00',
    version: '1.2.3',
    at: '1970-01-01T00:01:00.000Z',
    upSec: 42,
    live: true,
    ready: true,
    linked: false,
    parts: [
      { part: 'camera front', state: 'live', works: true, perSecond: 24, quietSec: 0 },
      { part: 'uplink pend00-video', state: 'waiting', works: false },
    ],
    faults: [{ part: 'uplink pend00-video', code: 'RELAY_LOST', agoSec: 10 }],
    temperatureC: 51.2,
  })
  expect(message).not.toContain('relay.example')
})

test('it stays small however many uplinks there are', () => {
  const uplinks = Array.from({ length: 256 }, (_none, index) => ({ ...lost, id: `t${index}` }))

  expect(heartbeatMessage(reportOf({ uplinks }), undefined).length).toBeLessThan(16_384)
})

function beating(everyMs: number) {
  const clock = new FakeClock()
  const stop = new AbortController()
  const heard: { readonly atMs: number; readonly ready: unknown }[] = []
  let cameras = [camera]
  const heartbeat = new Heartbeat(
    { feed: 'health', everyMs },
    {
      hub: {
        publish: (feed, { data, binary }) => {
          expect([feed, binary]).toEqual(['health', false])
          const { ready } = JSON.parse(data.toString()) as { ready: unknown }
          heard.push({ atMs: clock.monotonicMs(), ready })
        },
      },
      report: () => reportOf({ cameras }),
      temperatureC: () => undefined,
      clock,
      random: () => 0,
    },
  )
  const ended = heartbeat.run(stop.signal)
  return {
    clock,
    heard,
    heartbeat,
    set: (state: string) => {
      cameras = [{ ...camera, state }]
    },
    end: async () => {
      stop.abort()
      await ended
    },
  }
}

test('it beats in its interval, sooner when a verdict has changed, and not for every flicker', async () => {
  const { clock, heard, heartbeat, set, end } = beating(30_000)
  const startMs = clock.monotonicMs()
  const times = (): readonly number[] => heard.map(({ atMs }) => (atMs - startMs) / 1000)

  await clock.advance(61_000)
  expect(times()).toEqual([0, 30, 60])
  set('waiting')
  await clock.advance(3_000)
  expect(times()).toEqual([0, 30, 60])
  await clock.advance(2_000)
  expect(times()).toEqual([0, 30, 60, 65])
  expect(heard.at(-1)?.ready).toBe(false)
  for (let second = 0; second < 20; second++) {
    set(second % 2 === 0 ? 'live' : 'waiting')
    await clock.advance(1_000)
  }

  expect(heard.length).toBeLessThanOrEqual(8)
  expect(heartbeat.progress.overdueMs).toBe(0)
  await end()
  await clock.advance(1_000_000)
  expect(heartbeat.progress.overdueMs).toBe(0)
})
