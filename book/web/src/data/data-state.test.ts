import { expect, test } from 'vitest'
import type { LinkState } from '../links/link-state.ts'
import { type DataState, decideDataState, quietAfterMs } from './data-state.ts'

const open: LinkState = { kind: 'open', sinceMs: 0, heard: false }

test.for<[link: LinkState, sampleAgeMs: number | undefined, state: DataState]>([
  [{ kind: 'idle' }, undefined, 'connecting'],
  [{ kind: 'joining' }, 5, 'connecting'],
  [open, undefined, 'waiting'],
  [open, quietAfterMs, 'live'],
  [open, quietAfterMs + 1, 'quiet'],
  [{ kind: 'retrying', problem: 'network', untilMs: 1 }, 5, 'retrying'],
  [{ kind: 'ended', because: 'expired' }, 5, 'ended'],
  [{ kind: 'ended', because: 'cancelled' }, 5, 'refused'],
])('link %j with a sample of %s ms is told as %s', ([link, sampleAgeMs, state]) => {
  expect(decideDataState(link, sampleAgeMs)).toBe(state)
})
