import { expect, test } from 'vitest'
import type { AgentStatus } from './agent-status.ts'
import { statusText } from './status-text.ts'

const empty: AgentStatus = {
  name: '',
  phase: 'running',
  stuck: [],
  cameras: [],
  instruments: [],
  uplinks: [],
  localApi: undefined,
}

const camera: AgentStatus['cameras'][number] = {
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
}

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
  droppedQueuedMessages: 1,
  queuedMessages: 0,
  queuedBytes: 0,
  roundTripMs: 11.6,
}

test('each part has a line, with its last fault and the last words of ffmpeg below', () => {
  const text = statusText({ ...empty, name: 'pend00', cameras: [camera], uplinks: [uplink] }, 14_000)

  expect(text).toBe(`pend00
camera  front         waiting  feed video, frames 12, restarts 2
  CAMERA_LOST 4 s ago: the camera went away
  ffmpeg: No such device [2J
uplink  pend00-video  live     feed video, round trip 12 ms, sent 10, received 0, dropped 3, waiting 0
  to https://relay.example/access/session/pend00-video
`)
})

test('an agent without parts says so', () => {
  expect(statusText(empty, 0)).toBe('nothing is configured\n')
})
