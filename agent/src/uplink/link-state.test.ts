import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type LinkEvent, type LinkState, nextLinkState } from './link-state.ts'

const idle: LinkState = { kind: 'idle' }
const exchanging: LinkState = { kind: 'connecting', step: 'exchange', sinceMs: 5 }
const confirming: LinkState = { kind: 'connecting', step: 'confirm', sinceMs: 5 }
const live: LinkState = { kind: 'live', sinceMs: 7 }
const waiting: LinkState = { kind: 'waiting', untilMs: 9, attempt: 1 }
const failed: LinkState = { kind: 'failed' }
const stopped: LinkState = { kind: 'stopped' }

const exchange: LinkEvent = { kind: 'step', step: 'exchange', atMs: 20 }
const dial: LinkEvent = { kind: 'step', step: 'dial', atMs: 20 }
const confirmed: LinkEvent = { kind: 'confirmed', atMs: 20 }
const retry: LinkEvent = { kind: 'retry', atMs: 20, delayMs: 100, attempt: 3 }
const gaveUp: LinkEvent = { kind: 'gave-up' }
const stop: LinkEvent = { kind: 'stopped' }

const begun: LinkState = { kind: 'connecting', step: 'exchange', sinceMs: 20 }
const retrying: LinkState = { kind: 'waiting', untilMs: 120, attempt: 3 }

test.each<[LinkState, LinkEvent, LinkState]>([
  [idle, exchange, begun],
  [idle, dial, { kind: 'connecting', step: 'dial', sinceMs: 20 }],
  [idle, confirmed, idle],
  [idle, retry, retrying],
  [exchanging, dial, { kind: 'connecting', step: 'dial', sinceMs: 5 }],
  [exchanging, confirmed, exchanging],
  [exchanging, retry, retrying],
  [exchanging, gaveUp, failed],
  [confirming, confirmed, { kind: 'live', sinceMs: 20 }],
  [confirming, retry, retrying],
  [live, confirmed, live],
  [live, retry, retrying],
  [live, exchange, begun],
  [waiting, exchange, begun],
  [waiting, confirmed, waiting],
  [failed, exchange, failed],
  [failed, retry, failed],
  [failed, stop, stopped],
  [live, stop, stopped],
  [stopped, exchange, stopped],
  [stopped, confirmed, stopped],
  [stopped, gaveUp, stopped],
])('%j by %j becomes %j', (state, event, expected) => {
  expect(nextLinkState(state, event)).toEqual(expected)
})

test('a link is live only after a confirmation that follows a dial', () => {
  const event = fc.constantFrom(
    exchange,
    dial,
    { kind: 'step', step: 'confirm', atMs: 1 } as const,
    confirmed,
    retry,
  )
  fc.assert(
    fc.property(fc.array(event, { maxLength: 30 }), (events) => {
      let state: LinkState = idle
      for (const next of events) {
        const before: LinkState = state
        state = nextLinkState(state, next)
        const isNewlyLive = state.kind === 'live' && before.kind !== 'live'
        const wasConfirming = before.kind === 'connecting' && before.step === 'confirm'
        expect(isNewlyLive && !wasConfirming).toBe(false)
      }
    }),
  )
})
