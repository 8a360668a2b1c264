import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  isHopeless,
  type LinkEvent,
  type LinkState,
  nextLinkState,
  refusalsBeforeGivingUp,
  silencePatienceMs,
} from './link-state.ts'

const idle: LinkState = { kind: 'idle' }
const joining: LinkState = { kind: 'joining' }
const mute: LinkState = { kind: 'open', sinceMs: 5, heard: false }
const live: LinkState = { kind: 'open', sinceMs: 5, heard: true }
const retrying: LinkState = { kind: 'retrying', problem: 'dropped', untilMs: 9 }
const refused: LinkState = { kind: 'ended', because: 'refused' }
const expired: LinkState = { kind: 'ended', because: 'expired' }

const waiting: LinkEvent = { kind: 'waiting', problem: 'dropped', untilMs: 9 }

test.for<[from: LinkState, event: LinkEvent, to: LinkState]>([
  [idle, { kind: 'dialling' }, joining],
  [joining, { kind: 'opened', atMs: 5 }, mute],
  [mute, { kind: 'heard' }, live],
  [live, { kind: 'heard' }, live],
  [live, waiting, retrying],
  [mute, waiting, retrying],
  [joining, waiting, retrying],
  [retrying, { kind: 'dialling' }, joining],
  [joining, { kind: 'gave-up', problem: 'refused' }, refused],
  [live, { kind: 'expired' }, expired],
  [retrying, { kind: 'expired' }, expired],
  [refused, { kind: 'restarted' }, idle],
  // Late events of a link that was given up.
  [retrying, { kind: 'opened', atMs: 5 }, retrying],
  [joining, { kind: 'heard' }, joining],
  [expired, { kind: 'dialling' }, expired],
  [expired, { kind: 'gave-up', problem: 'refused' }, expired],
  [refused, { kind: 'expired' }, refused],
])('%j, %j: %j', ([from, event, to]) => {
  expect(nextLinkState(from, event)).toEqual(to)
})

test('the state object stays the same while nothing changes, so that nothing is drawn anew', () => {
  expect(nextLinkState(live, { kind: 'heard' })).toBe(live)
})

test('an ended link never comes back by itself', () => {
  const event = fc.constantFrom<LinkEvent>(
    { kind: 'dialling' },
    { kind: 'opened', atMs: 1 },
    { kind: 'heard' },
    waiting,
    { kind: 'gave-up', problem: 'refused' },
    { kind: 'expired' },
  )
  fc.assert(fc.property(fc.array(event), (events) => events.reduce(nextLinkState, refused) === refused))
})

test('a cancelled booking is given up at once, a refusal after some tries, the rest never', () => {
  expect(isHopeless('cancelled', 1)).toBe(true)
  expect(isHopeless('refused', refusalsBeforeGivingUp - 1)).toBe(false)
  expect(isHopeless('refused', refusalsBeforeGivingUp)).toBe(true)
  expect(isHopeless('not-found', refusalsBeforeGivingUp)).toBe(true)
  expect(isHopeless('network', 1000)).toBe(false)
  expect(isHopeless('relay-trouble', 1000)).toBe(false)
})

test('patience with a mute link doubles up to five minutes', () => {
  expect([0, 1, 2, 3, 50].map((times) => silencePatienceMs(15_000, times))).toEqual([
    15_000, 30_000, 60_000, 120_000, 300_000,
  ])
})
