import { expect, test } from 'vitest'
import { PingClock } from './ping-clock.ts'

test('the lag is the age of the oldest ping that was not answered', () => {
  const clock = new PingClock()
  clock.ping(100)
  clock.ping(350)

  expect(clock.lagMs(400)).toBe(300)
})

test('a pong answers its ping and all before it', () => {
  const clock = new PingClock()
  clock.ping(100)
  const second = clock.ping(350)
  clock.ping(600)

  clock.pong(second, 700)

  expect(clock.lagMs(700)).toBe(100)
  expect(clock.lastRoundTripMs).toBe(350)
})

test('when all are answered there is no lag, and the best round trip is kept', () => {
  const clock = new PingClock()
  clock.pong(clock.ping(0), 40)
  clock.pong(clock.ping(100), 190)

  expect(clock.lagMs(9_999)).toBe(0)
  expect(clock.bestRoundTripMs).toBe(40)
  expect(clock.lastRoundTripMs).toBe(90)
})

test('a pong that nobody asked for changes nothing', () => {
  const clock = new PingClock()
  clock.ping(0)

  clock.pong(Buffer.from('hello'), 10)
  clock.pong(Buffer.alloc(0), 10)

  expect(clock.lagMs(10)).toBe(10)
  expect(clock.lastRoundTripMs).toBeUndefined()
})

test('pings that are never answered fill no memory and keep the oldest', () => {
  const clock = new PingClock()
  for (let at = 0; at < 10_000; at++) clock.ping(at)

  expect(clock.lagMs(10_000)).toBe(10_000)
})
