import { describe, expect, test } from 'vitest'
import type { AgentStatus } from '../agent-status.ts'
import { madeUpReport } from './made-up-report.ts'
import { withColour, withoutColour } from './paint.ts'
import type { StatusReport } from './status-report.ts'
import { statusSummary, statusText } from './status-text.ts'

const camera = {
  name: 'front',
  feed: 'video',
  state: 'waiting',
  pid: undefined,
  frames: 12,
  keyFrames: 1,
  bytes: 3,
  skippedBytes: 0,
  restarts: 2,
  fault: { code: 'CAMERA_LOST', message: 'the camera went away', atMs: 10_000 },
  stderr: ['No such device\u001b[2J'],
} as unknown as AgentStatus['cameras'][number]

const uplink: AgentStatus['uplinks'][number] = {
  id: 'pend00-video',
  feed: 'video',
  destination: 'https://relay.example/access/session/pend00-video',
  state: { kind: 'live', sinceMs: 0 },
  connects: 1,
  failures: 0,
  fault: undefined,
  sentMessages: 10,
  sentBytes: 100,
  receivedMessages: 0,
  receivedBytes: 0,
  droppedLiveMessages: 2,
  droppedQueuedMessages: 0,
  queuedMessages: 0,
  queuedBytes: 0,
  roundTripMs: 11.6,
}

function reportOf(status: Partial<AgentStatus>, activity: StatusReport['activity'] = []): StatusReport {
  return madeUpReport({ name: '', ...status }, { atMs: 14_000, upMs: 3 * 86_400_000, activity })
}

describe('the text', () => {
  test('begins with the verdicts and what to do, then has a line for each part with its last words', () => {
    const report = reportOf({ name: 'pend00', cameras: [camera], uplinks: [uplink] })

    expect(statusText(report, withoutColour)).toBe(`pend00 · relay-agent 1.2.3 · up 3 days

  live    yes
  ready   no
    camera front: the camera went away; look at its plug and cable; it comes back by itself
  linked  yes

cameras
  front  waiting  feed video, frames 12, restarts 2
    CAMERA_LOST 4 seconds ago
    ffmpeg: No such device [2J

uplinks
  pend00-video  live  feed video, round trip 12 ms, received 0, sent 10, dropped live 2
    to https://relay.example/access/session/pend00-video
`)
  })

  test('shows the pace of what works, and for how long it has been quiet', () => {
    const live = { ...camera, state: 'live' as const, fault: undefined, stderr: [] }
    const at = (quietMs: number | undefined, perSecond: number | undefined): string =>
      statusText(reportOf({ cameras: [live] }, [{ part: 'camera front', perSecond, quietMs }]), withoutColour)

    expect(at(100, 23.98)).toContain('front  live  24 frames/s, feed video')
    expect(at(100, 0.5)).toContain('0.5 frames/s')
    expect(at(61_000, 0)).toContain('quiet for 61 seconds')
    expect(at(undefined, 0)).toContain('nothing yet')
  })

  test('shows kinds of parts that it does not know, by their name, state, counters and fault', () => {
    const unknown: unknown = {
      mqttInstruments: [
        {
          name: 'scope',
          state: 'waiting',
          feed: 'scope',
          receivedMessages: 3,
          fault: { code: 'BROKER_GONE', message: 'the broker is away', atMs: 0 },
        },
      ],
    }
    const text = statusText(reportOf(unknown as Partial<AgentStatus>), withoutColour)

    expect(text).toContain(
      'MQTT instruments\n  scope  waiting  feed scope, received 3\n    BROKER_GONE 14 seconds ago\n',
    )
    expect(text).toContain('  ready   no\n    MQTT instrument scope: the broker is away\n')
  })

  test('tells what is over, and what lasts only with its part', () => {
    const fault = { code: 'CAMERA_LOST', message: 'it went\naway', part: 'camera front', atMs: 4_000 }
    const report: StatusReport = {
      ...reportOf({}),
      recentFaults: [
        { ...fault, part: 'camera side', isOver: false },
        { ...fault, isOver: true },
      ],
    }

    expect(statusText(report, withoutColour)).toMatch(
      /\n\nfaults that are over\n {2}camera front {2}CAMERA_LOST {2}10 seconds ago: it went away\n$/,
    )
  })

  test('says nothing by colour alone', () => {
    const report = reportOf({ cameras: [camera], uplinks: [uplink] })
    const coloured = statusText(report, withColour)

    expect(coloured).toContain('\u001b[31mno\u001b[0m')
    // oxlint-disable-next-line no-control-regex -- the colours themselves
    expect(coloured.replaceAll(/\u001b\[\d+m/g, '')).toBe(statusText(report, withoutColour))
  })

  test('of an agent without parts says so', () => {
    expect(statusText(reportOf({}), withoutColour)).toMatch(/linked {2}yes\n\nnothing is configured\n$/)
  })

  test('lets nothing reach the terminal that moves its cursor or turns its text round', () => {
    const evil = '\u001b[2J\u009b1m\u202e\r\nx'
    const fault = { code: 'CAMERA_LOST', message: evil, atMs: 0 }
    const report = reportOf({ name: evil, cameras: [{ ...camera, name: evil, fault, stderr: [evil] }] })

    // oxlint-disable-next-line no-control-regex -- that is what must not be there
    expect(statusText(report, withoutColour)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
    // oxlint-disable-next-line no-control-regex -- that is what must not be there
    expect(statusSummary(report)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/)
  })
})

test('the line counts what works, and names the first thing that is wrong', () => {
  expect(statusSummary(reportOf({ name: 'pend00', cameras: [camera], uplinks: [uplink] }))).toBe(
    '1970-01-01T00:00:14.000Z pend00 · live, not ready, linked · cameras 0/1 · uplinks 1/1 · CAMERA_LOST camera front',
  )
})
