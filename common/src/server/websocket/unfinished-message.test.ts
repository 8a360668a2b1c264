import { expect, test } from 'vitest'
import { UnfinishedMessage } from './unfinished-message.ts'

function setUp() {
  const source = { bytesRead: 500 }
  return { source, message: new UnfinishedMessage(source) }
}

test('a message that stays unfinished is too much after half a minute', () => {
  const { source, message } = setUp()
  source.bytesRead += 10
  expect(message.isTooMuch(1000)).toBe(false)
  expect(message.isTooMuch(31_000)).toBe(false)

  expect(message.isTooMuch(31_001)).toBe(true)
})

test('a large one on a thin line may take longer, by what has come of it', () => {
  const { source, message } = setUp()
  source.bytesRead += 10
  message.isTooMuch(0)
  source.bytesRead += 32_768 * 60

  expect(message.isTooMuch(90_000)).toBe(false)
  expect(message.isTooMuch(91_000)).toBe(true)
})

test('whole messages begin anew, and pongs between are no part of one', () => {
  const { source, message } = setUp()
  message.isTooMuch(0)
  source.bytesRead += 16
  message.passedControl(10)
  expect(message.bytes).toBe(0)
  expect(message.isTooMuch(1e9)).toBe(false)
  source.bytesRead += 5000
  message.isTooMuch(1e9)
  message.finished()

  expect(message.isTooMuch(2e9)).toBe(false)
})
