import { expect, test } from 'vitest'
import type { LinkState } from '../links/link-state.ts'
import { decideVideoState, frozenAfterMs, type VideoState } from './video-state.ts'

const open: LinkState = { kind: 'open', sinceMs: 0, heard: true }

test.for<[link: LinkState, pictureAgeMs: number | undefined, isUnsupported: boolean, state: VideoState]>([
  [{ kind: 'idle' }, undefined, false, 'connecting'],
  [{ kind: 'joining' }, undefined, false, 'connecting'],
  [{ kind: 'joining' }, 50, false, 'connecting'],
  [open, undefined, false, 'waiting'],
  [open, 40, false, 'live'],
  [open, frozenAfterMs, false, 'live'],
  [open, frozenAfterMs + 1, false, 'frozen'],
  [open, undefined, true, 'unsupported'],
  [{ kind: 'retrying', problem: 'dropped', untilMs: 9 }, 40, false, 'retrying'],
  [{ kind: 'ended', because: 'expired' }, 40, false, 'ended'],
  [{ kind: 'ended', because: 'refused' }, undefined, false, 'refused'],
  [{ kind: 'ended', because: 'cancelled' }, 40, true, 'refused'],
])(
  'link %j with a picture of %s ms is told as it is (unsupported: %s): %s',
  ([link, pictureAgeMs, isUnsupported, state]) => {
    expect(decideVideoState({ link, pictureAgeMs, isUnsupported })).toBe(state)
  },
)
