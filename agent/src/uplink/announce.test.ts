import { FakeClock } from '@relay/common/fake-clock'
import { expect, test } from 'vitest'
import { capturedLog } from '../../test/captured-log.ts'
import { ScriptedRelay } from '../../test/scripted-relay.ts'
import { FeedHub } from '../feeds/feed-hub.ts'
import { Uplink } from './uplink.ts'

test('a link that is live is announced on its feed, so that state is said again to a relay that lost it', async () => {
  const hub = new FeedHub()
  const clock = new FakeClock()
  const relay = new ScriptedRelay()
  let greetings = 0
  hub.join('data', { name: 'board', deliver: () => undefined, greet: () => void (greetings += 1) })
  const uplink = new Uplink(
    {
      id: '0',
      feed: 'data',
      destination: 'wss://relay.example/t',
      token: undefined,
      delivery: 'auto',
      limits: { maxBufferedBytes: 262_144, maxLagMs: 1_000, queueBytes: 262_144, queueAgeMs: 30_000 },
      recorder: undefined,
    },
    { hub, clock, random: () => 0.5, log: capturedLog().log, environment: {}, dial: relay.dial },
  )
  const controller = new AbortController()
  const running = uplink.run(controller.signal)
  await clock.advance(0)
  expect(greetings).toBe(0)
  relay.link.pong()
  expect(greetings).toBe(1)
  relay.link.pong()
  expect(greetings).toBe(1)

  controller.abort()
  await running
})
