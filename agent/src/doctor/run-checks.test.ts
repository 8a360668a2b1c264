import { FakeClock } from '@relay/common/fake-clock'
import { expect, test } from 'vitest'
import { type Check, runChecks } from './run-checks.ts'
import { ok } from './verdict.ts'

const good: Check = { area: 'good', look: async () => [ok('fine')] }
const never = new AbortController().signal

test('a check that hangs is given up at its deadline and harms no other', async () => {
  const clock = new FakeClock()
  let hasHeard = false
  const hangs: Check = {
    area: 'hangs',
    look: (signal) => {
      signal.addEventListener('abort', () => (hasHeard = true))
      return new Promise(() => undefined)
    },
  }
  const running = runChecks([hangs, good], { timeoutMs: 15_000, clock, signal: never })

  await clock.advance(14_999)
  expect(hasHeard).toBe(false)
  await clock.advance(1)

  const [first, second] = await running
  expect(first).toMatchObject({
    area: 'hangs',
    tookMs: 15_000,
    verdicts: [{ level: 'unknown', what: 'it could not be looked at within 15 s: something hangs' }],
  })
  expect(second).toMatchObject({ area: 'good', tookMs: 0, verdicts: [{ level: 'ok' }] })
  expect(hasHeard).toBe(true)
  expect(clock.pending).toBe(0)
})

test('a check that throws says so in its own area', async () => {
  const throws: Check = { area: 'throws', look: () => Promise.reject(new Error('broken')) }
  const [result] = await runChecks([throws], { timeoutMs: 1, clock: new FakeClock(), signal: never })
  expect(result?.verdicts).toEqual([{ level: 'unknown', what: 'it could not be looked at: broken' }])
})

test('a doctor that is stopped ends at once', async () => {
  const stop = new AbortController()
  const hangs: Check = { area: 'hangs', look: () => new Promise(() => undefined) }
  const running = runChecks([hangs], { timeoutMs: 15_000, clock: new FakeClock(), signal: stop.signal })
  stop.abort()
  expect((await running)[0]?.verdicts).toMatchObject([
    { level: 'unknown', what: expect.stringMatching(/stopped/) as string },
  ])
})

test('what is still looked at is told', async () => {
  const told: (readonly string[])[] = []
  await runChecks([good, { area: 'other', look: async () => [ok('fine')] }], {
    timeoutMs: 1,
    clock: new FakeClock(),
    signal: never,
    onProgress: (running) => void told.push(running),
  })
  expect(told).toEqual([['good', 'other'], ['other'], []])
})
