import { once } from 'node:events'
import { hostUserAgent, readReturn, readSpread } from '@relay/common/return-hint'
import { FakeClock } from '@relay/common/fake-clock'
import { afterEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { RunningRelay } from './support/running-relay.ts'

const opened: WebSocket[] = []
afterEach(() => {
  for (const socket of opened.splice(0)) socket.terminate()
})

interface Host {
  readonly pings: string[]
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
}

async function dial(running: RunningRelay, userAgent: string): Promise<Host> {
  const socket = new WebSocket(await running.address('t'), { headers: { 'user-agent': userAgent } })
  opened.push(socket)
  const pings: string[] = []
  socket.on('ping', (payload) => pings.push(payload.toString()))
  const closed = once(socket, 'close').then(([code, reason]) => ({
    code: code as number,
    reason: String(reason),
  }))
  await once(socket, 'open')
  return { pings, closed }
}

const spreads = ({ pings }: Host): readonly number[] =>
  pings.flatMap((payload) => readSpread(Buffer.from(payload)) ?? [])

test('a host learns over how long to spread its return, at once and with each later ping', async () => {
  const clock = new FakeClock(Date.now())
  await using running = await RunningRelay.start({ clock })
  const first = await dial(running, hostUserAgent)
  await expect.poll(() => spreads(first)).toEqual([37])
  const later = await Promise.all(Array.from({ length: 26 }, () => dial(running, `${hostUserAgent}/1.0`)))
  await expect.poll(() => later.map((host) => spreads(host)[0]).sort((a = 0, b = 0) => b - a)[0]).toBe(1_000)

  await clock.advance(55_000)

  await expect.poll(() => spreads(first)).toEqual([37, 1_000])
})

test('hosts are sent away one after the other, and viewers as ever', async () => {
  const running = await RunningRelay.start()
  const hosts = [await dial(running, hostUserAgent), await dial(running, hostUserAgent)]
  const viewer = await dial(running, 'Mozilla/5.0')

  await running.relay.stop()

  expect(await viewer.closed).toEqual({ code: 1001, reason: 'going away' })
  expect(viewer.pings).toEqual([])
  const moments = await Promise.all(
    hosts.map(async ({ closed }) => {
      const { code, reason } = await closed
      expect(code).toBe(1001)
      return readReturn(reason)
    }),
  )
  expect(moments).toEqual([0, 37])
})
