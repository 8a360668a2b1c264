import { expect, test } from 'vitest'
import { FakeClock } from './fake-clock.ts'
import { StatusTeller } from './status-teller.ts'

function teller(kind: string) {
  const clock = new FakeClock()
  const heard: string[] = []
  const state = { line: 'starting' }
  const told = new StatusTeller({
    clock,
    notifier: { kind, status: (text) => void heard.push(text) },
    line: () => state.line,
  })
  return { clock, heard, state, told }
}

test('a status is told on change, and once a second at most', async () => {
  const { clock, heard, state, told } = teller('native')
  const controller = new AbortController()
  expect(told.line()).toBe('starting')
  const running = told.run(controller.signal)

  await clock.advance(3_000)
  for (const line of ['a', 'b', 'c']) {
    state.line = line
    await clock.advance(300)
  }
  await clock.advance(5_000)
  controller.abort()
  await running

  expect(heard).toEqual(['c'])
})

test('where nobody listens nothing is looked at', async () => {
  const { clock, told } = teller('none')

  await told.run(new AbortController().signal)

  expect(clock.pending).toBe(0)
})
