import { describe, expect, test } from 'vitest'
import { judgeHealth } from './judge-health.ts'
import { madeUpStatus } from './made-up-report.ts'

function verdicts(parts: Readonly<Record<string, unknown>>): string {
  const { live, ready, linked } = judgeHealth(madeUpStatus(parts))
  return [live, ready, linked].map(({ ok }) => (ok ? 'y' : 'n')).join('')
}

const fault = { code: 'CAMERA_MISSING', message: 'camera /dev/x is not there', atMs: 0 }
const lost = { code: 'RELAY_LOST', message: 'the connection broke', atMs: 0 }

describe('live, ready and linked are three questions', () => {
  test.each([
    [
      'all well',
      { cameras: [{ name: 'a', state: 'live' }], uplinks: [{ id: 't', state: { kind: 'live' } }] },
      'yyy',
    ],
    ['nothing configured', {}, 'yyy'],
    ['starting', { phase: 'starting' }, 'yny'],
    ['stopping', { phase: 'stopping' }, 'yny'],
    ['a stuck part', { stuck: [{ part: 'camera a', overdueMs: 3_000 }] }, 'nyy'],
    ['a camera that is gone', { cameras: [{ name: 'a', state: 'waiting', fault }] }, 'yny'],
    ['a camera that begins', { cameras: [{ name: 'a', state: 'starting' }] }, 'yny'],
    ['a camera that is live and black', { cameras: [{ name: 'a', state: 'live', fault }] }, 'yny'],
    [
      'a frozen picture',
      { cameras: [{ name: 'a', state: 'live', picture: { state: 'frozen', sinceMs: 1 } }] },
      'yny',
    ],
    [
      'a black picture',
      { cameras: [{ name: 'a', state: 'live', picture: { state: 'black', sinceMs: 1 } }] },
      'yny',
    ],
    [
      'a still picture',
      { cameras: [{ name: 'a', state: 'live', picture: { state: 'still', sinceMs: 1 } }] },
      'yyy',
    ],
    ['a server whose port is taken', { servers: [{ name: 'metrics', state: 'waiting' }] }, 'yny'],
    ['a server', { servers: [{ name: 'metrics', state: 'served' }] }, 'yyy'],
    ['a closed instrument', { instruments: [{ name: 'b', state: 'waiting' }] }, 'yny'],
    ['an open instrument', { instruments: [{ name: 'b', state: 'open' }] }, 'yyy'],
    [
      'one of two instruments closed',
      {
        instruments: [
          { name: 'b', state: 'open' },
          { name: 'c', state: 'opening' },
        ],
      },
      'yny',
    ],
    ['an instrument of a kind unknown here', { others: [{ name: 'b', state: 'waiting' }] }, 'yny'],
    ['a lost link', { uplinks: [{ id: 't', state: { kind: 'waiting' }, fault: lost }] }, 'yyn'],
    ['a link that was never tried', { uplinks: [{ id: 't', state: { kind: 'idle' } }] }, 'yyn'],
    ['a link whose rule was deleted', { uplinks: [{ id: 't', state: { kind: 'stopped' } }] }, 'yyy'],
    ['lists of other things', { notes: ['x', 1, null, { name: 'x' }, { state: 'y' }] }, 'yyy'],
  ])('%s', (_what, parts, expected) => {
    expect(verdicts(parts)).toBe(expected)
  })
})

test('each reason says which part it is, what is wrong, and what to do', () => {
  const { live, ready, linked } = judgeHealth(
    madeUpStatus({
      stuck: [{ part: 'uplink t', overdueMs: 2_100 }],
      cameras: [{ name: 'a', state: 'waiting', fault: { ...fault, code: 'CAMERA_LOST' } }],
      uplinks: [
        { id: 't', state: { kind: 'connecting' } },
        { id: 'u', state: { kind: 'failed' }, fault: { ...lost, code: 'DESTINATION_WRONG' } },
      ],
    }),
  )

  expect(live.reasons).toEqual([
    {
      part: 'uplink t',
      code: 'STUCK',
      sentence: expect.stringMatching(/^uplink t has not moved on for 3 s .*restart/) as string,
    },
  ])
  expect(ready.reasons).toEqual([
    {
      part: 'camera a',
      code: 'CAMERA_LOST',
      sentence: 'camera a: camera /dev/x is not there; look at its plug and cable; it comes back by itself',
    },
  ])
  expect(linked.reasons).toEqual([
    { part: 'uplink t', code: 'CONNECTING', sentence: 'uplink t is connecting; wait a moment' },
    { part: 'uplink u', code: 'DESTINATION_WRONG', sentence: 'uplink u: the connection broke' },
  ])
})
