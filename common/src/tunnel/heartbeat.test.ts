import { expect, test } from 'vitest'
import { FakeClock } from '../fake-clock.ts'
import { Heartbeat, tunnelHeartbeat } from './heartbeat.ts'

function beating() {
  const clock = new FakeClock()
  const seen = { beats: 0, deaths: 0 }
  const heartbeat = new Heartbeat(tunnelHeartbeat, {
    clock,
    onBeat: () => (seen.beats += 1),
    onDead: () => (seen.deaths += 1),
  })
  return { clock, seen, heartbeat }
}

test('a link without a sign of life for 15 s is dead, once', async () => {
  const { clock, seen } = beating()
  await clock.advance(14_900)
  expect(seen).toEqual({ beats: 2, deaths: 0 })
  await clock.advance(60_000)

  expect(seen).toEqual({ beats: 2, deaths: 1 })
  expect(clock.pending).toBe(0)
})

test('any sign of life keeps it, and a ping goes out every 5 s', async () => {
  const { clock, seen, heartbeat } = beating()
  for (let i = 0; i < 20; i++) {
    await clock.advance(5_000)
    heartbeat.heard()
  }

  expect(seen).toEqual({ beats: 20, deaths: 0 })
})

test('after the stop nothing happens', async () => {
  const { clock, seen, heartbeat } = beating()
  heartbeat.stop()
  await clock.advance(60_000)

  expect(seen).toEqual({ beats: 0, deaths: 0 })
})
