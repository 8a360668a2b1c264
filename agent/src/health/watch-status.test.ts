import { AppError, ConfigError, UnavailableError } from '@relay/common/errors'
import { FakeClock } from '@relay/common/fake-clock'
import { expect, test } from 'vitest'
import { madeUpReport } from './made-up-report.ts'
import { withoutColour } from './paint.ts'
import type { StatusReport } from './status-report.ts'
import { type WatchOptions, watchStatus } from './watch-status.ts'

const report = madeUpReport()
const away = new UnavailableError('AGENT_NOT_RUNNING', 'the agent is not running')

/** What is written, the answers taken in turn, one a second. */
async function watched(options: Partial<WatchOptions>, answers: readonly (StatusReport | AppError)[]) {
  const clock = new FakeClock()
  const stop = new AbortController()
  const written: string[] = []
  const left = [...answers]
  const watching = watchStatus(
    { json: false, isTerminal: false, paint: withoutColour, ...options },
    {
      clock,
      fetch: () => {
        const answer = left.shift()
        if (left.length === 0) stop.abort()
        if (answer === undefined || answer instanceof AppError) return Promise.reject(answer ?? away)
        return Promise.resolve(answer)
      },
      write: (text) => void written.push(text),
    },
    stop.signal,
  )
  const ended = watching.then(
    () => 'ended',
    (error: AppError) => error.code,
  )
  await clock.advance(60_000)
  return { written, ended: await ended }
}

test('in a pipe each second has a line, of an agent or of its absence', async () => {
  const { written, ended } = await watched({}, [report, away, report, report])

  expect(ended).toBe('ended')
  expect(written.slice(0, 3)).toEqual([
    '1970-01-01T00:00:00.000Z pend00 · live, ready, linked\n',
    expect.stringMatching(/^\S+Z AGENT_NOT_RUNNING: the agent is not running\n$/),
    '1970-01-01T00:00:00.000Z pend00 · live, ready, linked\n',
  ])
})

test('as JSON each second has an object, also on a terminal', async () => {
  const { written } = await watched({ json: true, isTerminal: true }, [report, away, report])

  expect(written.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { format: 1, name: 'pend00' },
    { format: 1, error: { code: 'AGENT_NOT_RUNNING', message: 'the agent is not running' } },
    { format: 1, name: 'pend00' },
  ])
})

test('on a terminal the text is drawn over the one before, and nothing of that stays', async () => {
  const { written } = await watched({ isTerminal: true }, [report, away, report])

  expect(written[0]).toBe('\u001b[2J')
  for (const frame of written.slice(1)) {
    expect(frame.startsWith('\u001b[H')).toBe(true)
    expect(frame.endsWith('\u001b[J')).toBe(true)
    expect(
      frame
        .split('\n')
        .slice(0, -1)
        .every((line) => line.endsWith('\u001b[K')),
    ).toBe(true)
  }
})

test('what another attempt cannot change ends it', async () => {
  const { ended } = await watched({}, [report, new ConfigError('STATUS_OFF', 'nothing is told'), report])

  expect(ended).toBe('STATUS_OFF')
})
