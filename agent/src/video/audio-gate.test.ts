import { AppError } from '@relay/common/errors'
import { expect, test } from 'vitest'
import { AudioGate } from './audio-gate.ts'

const fault = new AppError('AUDIO_FAILED', 'no microphone')
const at = (nowMs: number) => ({ nowMs, wallMs: nowMs })

test('sound that failed is left out, and tried again after half a minute, then ever more rarely', () => {
  const gate = new AudioGate()
  expect(gate.begin()).toBe(true)
  gate.failed(fault, at(0))

  expect(gate.begin()).toBe(false)
  expect(gate.state).toBe('failed')
  expect([29_999, 30_000].map((nowMs) => gate.isRetryDue(nowMs))).toEqual([false, true])
  gate.stillFailed(30_000)
  expect([89_999, 90_000].map((nowMs) => gate.isRetryDue(nowMs))).toEqual([false, true])
  for (let round = 0; round < 20; round += 1) gate.stillFailed(0)
  expect(gate.isRetryDue(600_000)).toBe(true)
})

test('sound that fails each time it comes back costs a moment of video ever more rarely', () => {
  const gate = new AudioGate()
  const waitsMs: number[] = []
  for (let round = 0; round < 8; round += 1) {
    gate.begin()
    gate.heard(0)
    gate.failed(fault, at(0))
    let nowMs = 0
    while (!gate.isRetryDue(nowMs)) nowMs += 30_000
    waitsMs.push(nowMs)
    gate.mayComeBack()
  }

  expect(waitsMs).toEqual([30_000, 60_000, 120_000, 240_000, 480_000, 600_000, 600_000, 600_000])
})

test('sound that was well for a minute is tried soon again', () => {
  const gate = new AudioGate()
  for (const _round of [1, 2, 3]) gate.failed(fault, at(0))
  gate.mayComeBack()
  gate.begin()
  gate.heard(0)
  gate.heard(60_000)
  gate.failed(fault, at(60_000))

  expect(gate.isRetryDue(90_000)).toBe(true)
})

test('an encoder that gives nothing is tried with and without sound in turn, until one gives a picture', () => {
  const gate = new AudioGate()
  const withAudio: boolean[] = []
  for (let round = 0; round < 4; round += 1) {
    withAudio.push(gate.begin())
    gate.neverSeen()
  }
  expect(withAudio).toEqual([true, false, true, false])

  gate.begin()
  gate.seen(at(0), fault)
  expect(gate.fault).toBeUndefined()
})

test('a picture that comes without sound after none came with it shows whose fault it was', () => {
  const gate = new AudioGate()
  gate.begin()
  gate.neverSeen()
  gate.begin()
  gate.seen(at(5), fault)

  expect(gate.fault).toEqual({ code: 'AUDIO_FAILED', message: 'no microphone', atMs: 5 })
})
