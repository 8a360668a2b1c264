import { FakeClock } from '@relay/common/fake-clock'
import { describe, expect, test } from 'vitest'
import { clientIdOf } from './client-id.ts'
import { type Command, CommandQueue } from './command-queue.ts'
import { KeptState } from './kept-state.ts'
import { parseBroker } from './parse-broker.ts'
import { RateLimit } from '@relay/common/rate-limit'

function command(payload: string, saidAtMs = 0): Command {
  return { topic: 't', payload, qos: 1, retain: false, saidAtMs }
}

describe('the queue of commands', () => {
  test('gives them out in order, refuses the newest when it is full, and drops what is too old', () => {
    const queue = new CommandQueue({ maxBytes: 2 * 66, maxAgeMs: 1_000 })
    expect([command('a'), command('b', 500), command('c')].map((one) => queue.add(one))).toEqual([
      true,
      true,
      false,
    ])
    expect(queue.expire(1_001)).toBe(1)
    expect(queue.take()?.payload).toBe('b')
    expect([queue.take(), queue.bytes, queue.size]).toEqual([undefined, 0, 0])
  })

  test('takes back what was under way to its front', () => {
    const queue = new CommandQueue({ maxBytes: 200, maxAgeMs: 1_000 })
    queue.add(command('c'))
    queue.putBack([command('a'), command('b')])
    expect([queue.take(), queue.take(), queue.take()].map((one) => one?.payload)).toEqual(['a', 'b', 'c'])
    expect(queue.bytes).toBe(0)
  })
})

test('what is kept is the last of each topic, within its bytes, and old topics stay when there is no room', () => {
  const kept = new KeptState({ maxBytes: 140 })
  const message = (text: string) => ({ data: Buffer.from(text), binary: false })
  expect([kept.keep('a', message('1')), kept.keep('b', message('2')), kept.keep('c', message('3'))]).toEqual([
    true,
    true,
    false,
  ])
  kept.keep('a', message('4'))
  expect(kept.messages().map(({ data }) => data.toString())).toEqual(['2', '4'])
  kept.forget('b')
  kept.forget('a')
  expect([kept.bytes, kept.topics]).toEqual([0, 0])
})

test('a rate limit lets through a burst of a second and then its rate', async () => {
  const clock = new FakeClock()
  const limit = new RateLimit(10, clock)
  const passed = (count: number): number =>
    Array.from({ length: count }, () => limit.admits()).filter(Boolean).length

  expect(passed(100)).toBe(10)
  await clock.advance(500)
  expect(passed(100)).toBe(5)
  await clock.advance(3_600_000)
  expect(passed(100)).toBe(10)
})

test('the client id is the same again, and another for another machine, instrument or broker', () => {
  const facts = { machineId: 'm', hostname: 'h', instrument: 'i', broker: 'b' }
  const others = [
    { ...facts, machineId: 'n' },
    { ...facts, hostname: 'copy' },
    { ...facts, instrument: 'j' },
    { ...facts, broker: 'c' },
  ]
  expect(clientIdOf(facts)).toMatch(/^relay[0-9a-f]{17}$/)
  expect(new Set([facts, facts, ...others].map(clientIdOf)).size).toBe(5)
})

describe('the address of a broker', () => {
  test.each([
    ['mqtt://broker', 'broker', 1883, false],
    ['mqtts://broker.example:1', 'broker.example', 1, true],
    ['mqtt://[::1]:1884/', '::1', 1884, false],
  ])('%s is understood', (text, host, port, isTls) => {
    expect(parseBroker(text)).toMatchObject({ ok: true, place: { host, port, isTls } })
  })

  test.each([
    ['broker', /mqtt:\/\/host/],
    ['http://broker', /mqtt:\/\/host/],
    ['ws://broker', /websockets/],
    ['mqtt://broker/path', /no path/],
    ['mqtt://user:hunter2@broker', /passwordFile/],
  ])('%s is refused with what to do', (text, problem) => {
    const parsed = parseBroker(text)
    expect(parsed).toMatchObject({ ok: false, problem: expect.stringMatching(problem) as string })
    expect(JSON.stringify(parsed)).not.toContain('hunter2')
  })
})
