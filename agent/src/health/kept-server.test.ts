import { AppError } from '@relay/common/errors'
import { FakeClock } from '@relay/common/fake-clock'
import { silentLog } from '@relay/common/log'
import { expect, test } from 'vitest'
import { KeptServer, type OpenServer } from './kept-server.ts'

function kept(open: () => Promise<OpenServer>) {
  const clock = new FakeClock()
  const stop = new AbortController()
  const warnings: unknown[] = []
  const log = silentLog()
  log.warn = (facts: { readonly error: AppError }) => void warnings.push(facts.error.code)
  const server = new KeptServer('status page', open, { clock, random: () => 0, log })
  const ended = server.run(stop.signal)
  const end = async (): Promise<void> => {
    stop.abort()
    await ended
  }
  return { clock, server, warnings, end }
}

test('a server that cannot be opened is tried again, and each kind of fault is told once', async () => {
  let opened = 0
  let closed = 0
  const faults = ['PORT_IN_USE', 'PORT_IN_USE', 'LISTEN_FAILED']
  const { clock, server, warnings, end } = kept(async () => {
    const code = faults.shift()
    if (code !== undefined) throw new AppError(code, 'no')
    opened += 1
    return await Promise.resolve({ close: () => Promise.resolve(void (closed += 1)) })
  })
  await clock.advance(500)
  expect(server.status()).toMatchObject({ state: 'waiting', fault: { code: 'PORT_IN_USE' } })
  await clock.advance(10_000)

  expect(warnings).toEqual(['PORT_IN_USE', 'LISTEN_FAILED'])
  expect(server.status()).toEqual({ name: 'status page', state: 'served', fault: undefined })
  await clock.advance(3_600_000)
  expect(opened).toBe(1)
  expect(server.progress.overdueMs).toBe(0)
  await end()
  expect([closed, server.status().state]).toEqual([1, 'stopped'])
})

test('a server that nobody can reach any more is opened anew', async () => {
  let isInPlace = true
  let opened = 0
  const { clock, warnings, end } = kept(() => {
    opened += 1
    isInPlace = true
    return Promise.resolve({
      get isInPlace() {
        return isInPlace
      },
      close: () => Promise.resolve(),
    })
  })
  await clock.advance(60_000)
  isInPlace = false
  await clock.advance(60_000)

  expect(opened).toBe(2)
  expect(warnings).toEqual(['SERVER_UNREACHABLE'])
  await end()
})

test('a server that hangs while it opens breaks the promise of its part', async () => {
  const { clock, server } = kept(() => new Promise(() => undefined))
  await clock.advance(600_000)

  expect(server.status().state).toBe('opening')
  expect(server.progress.overdueMs).toBeGreaterThan(0)
})
