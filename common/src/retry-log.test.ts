import { AppError } from './errors.ts'
import { FakeClock } from './fake-clock.ts'
import { createLog } from './log.ts'
import { expect, test } from 'vitest'
import { RetryLog } from './retry-log.ts'

function setUp() {
  const lines: Readonly<Record<string, unknown>>[] = []
  const log = createLog({
    program: 'test',
    level: 'info',
    destination: { write: (line) => void lines.push(JSON.parse(line) as Readonly<Record<string, unknown>>) },
  })
  const clock = new FakeClock()
  const retries = new RetryLog({ camera: 'front' }, { clock, log })
  const fail = (attempt: number, code = 'A'): void =>
    retries.tell({ attempt, delayMs: 1_000, error: new AppError(code, 'it failed') }, 'camera failed')
  return { lines, clock, fail }
}

test('the first attempts are each told, with what and why', () => {
  const { lines, fail } = setUp()
  fail(0)
  fail(1)

  expect(lines).toHaveLength(2)
  expect(lines[0]).toMatchObject({ camera: 'front', attempt: 0, msg: 'camera failed', error: { code: 'A' } })
})

test('an outage of a day makes few lines, and says how many were left out', async () => {
  const { lines, clock, fail } = setUp()
  for (let attempt = 0; attempt < 8_640; attempt++) {
    fail(attempt)
    await clock.advance(10_000)
  }

  expect(lines.length).toBeLessThan(150)
  expect(lines.at(-1)).toMatchObject({ untold: 59 })
})

test('two faults in turn make few lines too', async () => {
  const { lines, clock, fail } = setUp()
  for (let attempt = 0; attempt < 8_640; attempt++) {
    fail(attempt, attempt % 2 === 0 ? 'A' : 'B')
    await clock.advance(10_000)
  }

  expect(lines.length).toBeLessThan(300)
})

test('faults that are never the same are told again and again, and nothing is kept of them for ever', () => {
  const { lines, fail } = setUp()
  for (let attempt = 0; attempt < 100; attempt++) fail(attempt, `CODE_${attempt}`)

  expect(lines).toHaveLength(100)
})

test('a new kind of fault is told at once', () => {
  const { lines, fail } = setUp()
  for (let attempt = 0; attempt < 20; attempt++) fail(attempt)
  fail(20, 'B')

  expect(lines.at(-1)).toMatchObject({ attempt: 20, error: { code: 'B' } })
})

test('a new outage is told from its beginning', () => {
  const { lines, fail } = setUp()
  for (let attempt = 0; attempt < 20; attempt++) fail(attempt)
  const before = lines.length
  fail(0)

  expect(lines).toHaveLength(before + 1)
})
