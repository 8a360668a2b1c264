import { FakeClock } from '@relay/common/fake-clock'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { Pendulum } from './pendulum.ts'
import type { Plant } from './plant.ts'
import { type InstrumentOptions, SimulatedInstrument } from './simulated-instrument.ts'

type Message = Readonly<Record<string, unknown>>

interface Rig {
  readonly clock: FakeClock
  readonly instrument: SimulatedInstrument
  readonly lines: string[]
  readonly messages: () => readonly Message[]
  readonly say: (message: unknown) => void
  readonly stop: () => Promise<void>
}

function startRig(options: Partial<InstrumentOptions> = {}, plant: Plant = new Pendulum()): Rig {
  const clock = new FakeClock()
  const instrument = new SimulatedInstrument(
    plant,
    { rateHz: 20, noise: 0, sensorDelayMs: 0, ...options },
    { clock, random: () => 0.1 },
  )
  const lines: string[] = []
  instrument.connect((line) => lines.push(line) > 0)
  const ended = new AbortController()
  const running = instrument.run(ended.signal)
  return {
    clock,
    instrument,
    lines,
    messages: () => lines.map((line) => JSON.parse(line) as Message),
    say: (message) => instrument.receive(Buffer.from(`${JSON.stringify(message)}\n`)),
    stop: async () => {
      ended.abort()
      await clock.advance(0)
      await running
    },
  }
}

test('data lines come at the rate and carry the time since the start', async () => {
  const rig = startRig({ rateHz: 20 })

  await rig.clock.advance(1000)
  await rig.stop()

  expect(rig.messages().map((message) => message['t'])).toEqual(
    Array.from({ length: 20 }, (_, i) => 50 * (i + 1)),
  )
  expect(Object.keys(rig.messages()[0] ?? {})).toEqual(['t', 'angle', 'velocity', 'target', 'running'])
})

test('a new rate counts at once', async () => {
  const rig = startRig({ rateHz: 0.1 })
  await rig.clock.advance(1000)
  rig.say({ cmd: 'rate', hz: 50 })

  await rig.clock.advance(1000)
  await rig.stop()

  expect(rig.lines.length).toBeGreaterThanOrEqual(49)
  expect(rig.lines.length).toBeLessThanOrEqual(50)
})

test('a sensor delay holds the line back and not its time stamp', async () => {
  const rig = startRig({ rateHz: 10, sensorDelayMs: 60 })

  await rig.clock.advance(159)
  expect(rig.lines).toEqual([])
  await rig.clock.advance(1)

  expect(rig.messages()[0]).toMatchObject({ t: 100 })
  await rig.stop()
})

test('noise moves the measured value and not the target', async () => {
  const quiet = startRig({ noise: 0 })
  const noisy = startRig({ noise: 50 })

  await Promise.all([quiet.clock.advance(50), noisy.clock.advance(50)])
  await Promise.all([quiet.stop(), noisy.stop()])

  expect(noisy.messages()[0]?.['angle']).not.toBe(quiet.messages()[0]?.['angle'])
  expect(noisy.messages()[0]?.['target']).toBe(quiet.messages()[0]?.['target'])
})

test('a set-point moves the pendulum there', async () => {
  const rig = startRig()
  rig.say({ cmd: 'set', param: 'drive', value: 0 })
  rig.say({ cmd: 'set', param: 'target', value: -1 })

  await rig.clock.advance(20_000)
  await rig.stop()

  expect(rig.messages().at(-1)).toMatchObject({ target: -1, running: true })
  expect(rig.messages().at(-1)?.['angle']).toBeCloseTo(-1, 1)
})

test('stop and start show in the data', async () => {
  const rig = startRig()
  rig.say({ cmd: 'stop' })
  await rig.clock.advance(50)
  rig.say({ cmd: 'start' })
  await rig.clock.advance(50)
  await rig.stop()

  expect(rig.messages().map((message) => message['running'])).toEqual([false, true])
})

test('a ping is answered at once with its id', () => {
  const rig = startRig()

  rig.say({ cmd: 'ping', id: 12 })

  expect(rig.messages()).toEqual([{ pong: 12 }])
})

test('a description names the controls with their ranges and how to stop', () => {
  const rig = startRig()

  rig.say({ cmd: 'describe' })

  expect(rig.messages()[0]).toMatchObject({
    report: 'describe',
    name: 'simulated pendulum',
    fields: [
      { name: 'angle', unit: 'rad' },
      { name: 'velocity', unit: 'rad/s' },
      { name: 'target', unit: 'rad' },
    ],
    stop: { cmd: 'stop' },
    start: { cmd: 'start' },
  })
  expect(rig.messages()[0]?.['controls']).toContainEqual({
    param: 'target',
    min: -3,
    max: 3,
    step: 0.05,
    unit: 'rad',
    label: 'Target angle',
    value: 0.5,
  })
})

test('a line that is too long gives one error and the next command works', () => {
  const rig = startRig()

  rig.instrument.receive(Buffer.from(`${'x'.repeat(100_000)}\n{"cmd":"ping","id":1}\n`))

  expect(rig.messages()).toEqual([{ error: 'a line longer than 512 bytes was ignored' }, { pong: 1 }])
})

test('what nobody reads is dropped and counted', async () => {
  const rig = startRig({ rateHz: 10 })
  rig.instrument.disconnect()

  await rig.clock.advance(1000)
  await rig.stop()

  expect(rig.lines).toEqual([])
  expect(rig.instrument.dropped).toBe(10)
})

test('a half command of a connection that broke does not spoil the first one of the next', () => {
  const rig = startRig()
  rig.instrument.receive(Buffer.from('{"cmd":"pi'))
  const lines: string[] = []

  rig.instrument.connect((line) => lines.push(line) > 0)
  rig.say({ cmd: 'ping', id: 2 })

  expect(lines).toEqual(['{"pong":2}'])
})

test('after a pause of the machine there is no burst of lines and the physics goes on from where it was', async () => {
  const plant = new Pendulum()
  const advance = vi.spyOn(plant, 'advance')
  const rig = startRig({ rateHz: 10 }, plant)
  await rig.clock.advance(100)
  const before = rig.lines.length

  const monotonicMs = rig.clock.monotonicMs.bind(rig.clock)
  rig.clock.monotonicMs = () => monotonicMs() + 3_600_000
  await rig.clock.advance(200)
  await rig.stop()

  expect(rig.lines.length - before).toBeLessThanOrEqual(3)
  expect(Math.max(...advance.mock.calls.map(([byMs]) => byMs))).toBe(1000)
})

test('any bytes at all leave it alive, answering in whole lines of JSON with finite numbers', async () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 700 }),
    fc.string().map((text) => new Uint8Array(Buffer.from(`${text}\n`))),
    fc
      .record({
        cmd: fc.constantFrom('set', 'rate', 'start', 'stop'),
        param: fc.constantFrom('target', 'drive'),
        value: fc.double(),
        hz: fc.double(),
      })
      .map((message) => new Uint8Array(Buffer.from(`${JSON.stringify(message)}\n`))),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(bytes, { maxLength: 12 }), async (chunks) => {
      const rig = startRig()
      for (const chunk of chunks) rig.instrument.receive(chunk)
      rig.instrument.receive(Buffer.from('\n{"cmd":"rate","hz":20}\n{"cmd":"ping","id":"alive"}\n'))
      await rig.clock.advance(60)
      await rig.stop()
      const messages = rig.messages()
      expect(messages).toContainEqual({ pong: 'alive' })
      expect(messages.at(-1)?.['angle']).toSatisfy(Number.isFinite)
    }),
    { numRuns: 60 },
  )
})
