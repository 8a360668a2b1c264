import { PassThrough } from 'node:stream'
import { FakeClock } from '@relay/common/fake-clock'
import { expect, test } from 'vitest'
import { ProgressLine } from './progress-line.ts'

const terminal = (isTTY: boolean): PassThrough => Object.assign(new PassThrough(), { isTTY })
const written = (stream: PassThrough): string => String(stream.read() ?? '')

test('what lasts more than two seconds is told on a terminal, and taken away at the end', async () => {
  const clock = new FakeClock()
  const stream = terminal(true)
  const line = new ProgressLine(stream, clock)

  line.show(['clock', 'relay'])
  await clock.advance(1_999)
  expect(written(stream)).toBe('')
  await clock.advance(1)
  expect(written(stream)).toBe('\r\u001B[Klooking at: clock, relay')
  line.show(['relay'])
  await clock.advance(0)
  expect(written(stream)).toBe('\r\u001B[Klooking at: relay')
  line.end()
  expect(written(stream)).toBe('\r\u001B[K')
  expect(clock.pending).toBe(0)
})

test('what is quick, and what is no terminal, gets no line', async () => {
  const clock = new FakeClock()
  const [quick, file] = [terminal(true), terminal(false)]
  const [first, second] = [new ProgressLine(quick, clock), new ProgressLine(file, clock)]

  first.show(['clock'])
  first.end()
  second.show(['clock'])
  await clock.advance(5_000)
  second.end()

  expect(written(quick) + written(file)).toBe('')
})
