import { once } from 'node:events'
import { hostUserAgent } from '@relay/common/return-hint'
import { readViewers } from '@relay/common/viewers-hint'
import { FakeClock } from '@relay/common/fake-clock'
import { afterEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { RunningRelay } from './support/running-relay.ts'

const opened: WebSocket[] = []
afterEach(() => {
  for (const socket of opened.splice(0)) socket.terminate()
})

async function dial(running: RunningRelay, userAgent: string) {
  const socket = new WebSocket(await running.address('t'), { headers: { 'user-agent': userAgent } })
  opened.push(socket)
  const told: number[] = []
  let pings = 0
  socket.on('ping', (payload) => {
    pings += 1
    told.push(...[readViewers(payload)].filter((count) => count !== undefined))
  })
  await once(socket, 'open')
  return { socket, told, pings: () => pings }
}

test('a host learns how many others hear its topic, on change alone; a viewer learns nothing', async () => {
  const clock = new FakeClock(Date.now())
  await using running = await RunningRelay.start({ clock })
  const host = await dial(running, hostUserAgent)
  await clock.advance(1_000)
  await expect.poll(() => host.told).toEqual([0])
  const viewers = [await dial(running, 'Mozilla/5.0'), await dial(running, 'Mozilla/5.0')]
  await clock.advance(1_000)
  await expect.poll(() => host.told).toEqual([0, 2])

  await clock.advance(5_000)
  viewers[0]?.socket.close()
  await expect.poll(() => running.relay.exchange.connections.size).toBe(2)
  await clock.advance(1_000)

  await expect.poll(() => host.told).toEqual([0, 2, 1])
  expect(viewers.map(({ pings }) => pings())).toEqual([0, 0])
})
