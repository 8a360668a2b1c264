import { AppError } from '@relay/common/errors'
import { RetryLaterError } from '@relay/common/keep-connected'
import { expect, test } from 'vitest'
import { ReturnPause } from './return-pause.ts'

const lost = new AppError('RELAY_LOST', 'broke off')

function delayOf(error: unknown): number {
  return error instanceof RetryLaterError ? error.delayMs : 0
}

test('a goodbye that names a moment is followed', () => {
  const pause = new ReturnPause(() => 0.5)
  pause.spread(10_000)

  const goodbye = new AppError('RELAY_CLOSED', 'going away', {
    details: { code: 1001, returnAfterMs: 3_400 },
  })

  expect(delayOf(pause.slowDown(goodbye))).toBe(3_400)
})

test('hosts of a relay that breaks off come back within its spread, after the usual first pause', () => {
  for (const random of [0, 0.5, 0.99]) {
    const pause = new ReturnPause(() => random)
    pause.spread(10_000)
    expect(delayOf(pause.slowDown(lost))).toBe(1_000 + random * 10_000)
  }
})

test('a spread counts once: what fails afterwards waits as usual', () => {
  const pause = new ReturnPause(() => 0.5)
  pause.spread(10_000)
  pause.slowDown(lost)

  expect(pause.slowDown(lost)).toBe(lost)
})

test('a relay that tells nothing changes nothing', () => {
  const goodbye = new AppError('RELAY_CLOSED', 'bye', { details: { code: 1001 } })
  const pause = new ReturnPause(() => 0.5)

  for (const error of [lost, goodbye, new Error('other')]) expect(pause.slowDown(error)).toBe(error)
})
