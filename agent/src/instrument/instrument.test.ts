import { AppError } from '@relay/common/errors'
import { FakeClock } from '@relay/common/fake-clock'
import { silentLog } from '@relay/common/log'
import { describe, expect, test } from 'vitest'
import { Instrument } from './instrument.ts'
import type { Link, LinkEvents, LinkSource } from './link.ts'

const missing = (): AppError => new AppError('INSTRUMENT_MISSING', 'it is not there')

/** Opens what the test says. */
class ScriptedSource implements LinkSource {
  readonly retryPolicy = { minMs: 300, maxMs: 1_500, stableAfterMs: 10_000 }
  readonly openWithinMs = 10_000
  readonly after: (string | undefined)[] = []
  opens = 0
  openLinks = 0
  watches = 0
  next: () => Promise<void> = () => Promise.resolve()
  check: () => Promise<AppError | undefined> = () => Promise.resolve(undefined)
  events: LinkEvents | undefined
  wake: () => void = () => undefined

  async open(events: LinkEvents, _signal: AbortSignal, after: AppError | undefined): Promise<Link> {
    this.opens += 1
    this.after.push(after?.code)
    this.events = events
    await this.next()
    this.openLinks += 1
    return {
      opened: '/dev/scripted',
      write: () => Promise.resolve(),
      check: () => this.check(),
      close: () => {
        this.openLinks -= 1
        return Promise.resolve()
      },
    }
  }

  watch(wake: () => void): () => void {
    this.watches += 1
    this.wake = wake
    return () => {
      this.watches -= 1
    }
  }

  writeWithinMs(): number {
    return 5_000
  }
}

function start(source: ScriptedSource) {
  const clock = new FakeClock()
  const instrument = new Instrument(
    {
      name: 'board',
      feed: 'data',
      source: { kind: 'replay', path: '/none', speed: 1, isLoop: false },
      framing: { kind: 'raw' },
      writeQueueBytes: 1_000,
      silentAfterMs: 0,
      recording: undefined,
    },
    {
      hub: { join: () => () => undefined, publish: () => 0 },
      clock,
      random: () => 0.5,
      log: silentLog(),
      source,
    },
  )
  const controller = new AbortController()
  const running = instrument.run(controller.signal)
  const stop = async (): Promise<void> => {
    controller.abort()
    await running
  }
  return { instrument, clock, stop }
}

describe('the promises to the watchdog', () => {
  test('are kept for days by an instrument that is not there', async () => {
    const source = new ScriptedSource()
    source.next = () => Promise.reject(missing())
    const { instrument, clock, stop } = start(source)
    for (let hour = 0; hour < 3; hour++) {
      await clock.advance(600_000)
      expect(instrument.progress.overdueMs).toBe(0)
    }

    expect(source.opens).toBeGreaterThan(500)
    await stop()
    await clock.advance(600_000)
    expect(instrument.progress.overdueMs).toBe(0)
  })

  test('are kept by one that is open and silent', async () => {
    const { instrument, clock, stop } = start(new ScriptedSource())
    await clock.advance(3_600_000)

    expect(instrument.status().state).toBe('open')
    expect(instrument.progress.overdueMs).toBe(0)
    await stop()
  })

  test('are broken by a loop of ours that does not go on', async () => {
    const source = new ScriptedSource()
    source.check = () => new Promise(() => undefined)
    const { instrument, clock, stop } = start(source)
    await clock.advance(60_000)

    expect(instrument.progress.overdueMs).toBeGreaterThan(30_000)
    await stop()
  })
})

test('an opening that hangs is given up, and no other one begins before it has ended', async () => {
  const source = new ScriptedSource()
  const hanging = Promise.withResolvers<void>()
  source.next = () => hanging.promise
  const { instrument, clock, stop } = start(source)

  await clock.advance(300_000)
  expect(source.opens).toBe(1)
  expect(instrument.status()).toMatchObject({ state: 'waiting', fault: { code: 'INSTRUMENT_OPEN_HANGS' } })
  expect(instrument.progress.overdueMs).toBe(0)

  source.next = () => Promise.resolve()
  hanging.resolve()
  await clock.advance(2_000)
  expect(source.opens).toBe(2)
  expect(source.openLinks).toBe(1)
  expect(instrument.status().state).toBe('open')
  await stop()
  expect(source.openLinks).toBe(0)
})

test('one that is stopped while its opening hangs owes nothing to the watchdog, and ends with the opening', async () => {
  const source = new ScriptedSource()
  const hanging = Promise.withResolvers<void>()
  source.next = () => hanging.promise
  const { instrument, clock, stop } = start(source)
  await clock.advance(30_000)

  const stopped = stop()
  await clock.advance(600_000)
  expect(instrument.progress.overdueMs).toBe(0)

  hanging.resolve()
  await stopped
  expect(source.openLinks).toBe(0)
})

test('an instrument that has come is opened at once, and the watch is over', async () => {
  const source = new ScriptedSource()
  source.next = () => Promise.reject(missing())
  const { instrument, clock, stop } = start(source)
  await clock.advance(60_000)
  source.next = () => Promise.resolve()
  const before = source.opens
  expect(source.watches).toBe(1)

  source.wake()
  await clock.advance(100)

  expect(source.opens).toBe(before + 1)
  expect(instrument.status().state).toBe('open')
  expect(source.watches).toBe(0)
  await stop()
})

test('the source learns with what fault the link before ended', async () => {
  const source = new ScriptedSource()
  const { clock, stop } = start(source)
  await clock.advance(0)
  source.events?.onClosed(new AppError('INSTRUMENT_STUCK', 'it hangs'))
  await clock.advance(2_000)

  expect(source.after).toEqual([undefined, 'INSTRUMENT_STUCK'])
  await stop()
})

test('a stop leaves no alarm behind', async () => {
  const { clock, stop } = start(new ScriptedSource())
  await clock.advance(5_000)
  await stop()

  expect(clock.pending).toBe(0)
})
