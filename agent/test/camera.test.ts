import { spawn } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { beginsKeyFrame, isTransportStream } from '../src/video/ts-cutter.ts'
import { cameraFixture } from './camera-fixture.ts'
import { eventually, isRunning } from './eventually.ts'
import { framePackets, soundPacket } from './made-up-stream.ts'

const { cleanUps, temporaryDirectory, startCamera } = cameraFixture()

describe('a test pattern by real ffmpeg', () => {
  test('gives one message for each frame: whole packets, the first a key frame, no byte skipped', async () => {
    const { camera, frames, stop } = startCamera('preset: test-pattern')
    await eventually(() => frames.length >= 48, { show: () => camera.status() })
    await stop()
    const status = camera.status()

    expect(frames.every((frame) => isTransportStream(frame))).toBe(true)
    expect(beginsKeyFrame(frames[0] ?? Buffer.alloc(0))).toBe(true)
    // A key frame every half second is ffmpeg's own choice for MPEG-1.
    expect(frames.slice(0, 48).filter((frame) => beginsKeyFrame(frame))).toHaveLength(4)
    expect(status).toMatchObject({ skippedBytes: 0, restarts: 0, fault: undefined, state: 'stopped' })
    expect(Math.abs(status.frames - frames.length)).toBeLessThanOrEqual(1)
    expect(status.bytes).toBe(frames.reduce((sum, { length }) => sum + length, 0))
  })

  test('gives out sound while the picture pauses, and never a part of a frame', async () => {
    const directory = temporaryDirectory()
    const frame = framePackets({ bytes: 4_000, isKey: true, tellsLength: true })
    const half = 188 * 6
    writeFileSync(join(directory, 'one.ts'), Buffer.concat([frame, soundPacket(100)]))
    writeFileSync(join(directory, 'two.ts'), frame.subarray(0, half))
    writeFileSync(join(directory, 'three.ts'), frame.subarray(half))
    const program = join(directory, 'encoder')
    const go = join(directory, 'go')
    writeFileSync(
      program,
      `#!/bin/sh\ncd ${directory}\ncat one.ts\nwhile [ ! -e ${go} ]; do sleep 0.05; done\ncat two.ts\nsleep 0.2\ncat three.ts\nexec sleep 60\n`,
    )
    chmodSync(program, 0o755)
    const { frames, camera } = startCamera('preset: custom, arguments: [x]', { ffmpeg: program })

    await eventually(() => frames.length === 2, { show: () => camera.status() })
    writeFileSync(go, '')
    await eventually(() => frames.length >= 3, { show: () => camera.status() })

    expect(frames).toEqual([frame, soundPacket(100), frame])
  })

  test('gives out each frame when it is complete, not when the next one begins', async () => {
    const { frames, fails } = startCamera(
      'preset: custom, arguments: [-f, lavfi, -i, "testsrc2=rate=24:size=320x240", -frames:v, "3", -c:v, libx264, -preset, ultrafast, -tune, zerolatency]',
    )
    await fails('ENCODER_ENDED')

    // Nothing follows the third frame: whoever waits for its successor would have lost it.
    expect(frames).toHaveLength(3)
  })

  test('H.264 by x264 is cut into frames as well', async () => {
    const { frames } = startCamera(
      'preset: custom, arguments: [-re, -f, lavfi, -i, "testsrc2=rate=24:size=640x480", -c:v, libx264, -preset, ultrafast, -tune, zerolatency, -g, "24", -b:v, 1000k, -bf, "0"]',
    )
    await eventually(() => frames.length >= 49)

    expect(frames.every((frame) => isTransportStream(frame))).toBe(true)
    expect(
      frames
        .slice(0, 49)
        .map((frame) => beginsKeyFrame(frame))
        .flatMap((isKey, index) => (isKey ? [index] : [])),
    ).toEqual([0, 24, 48])
  })

  test('with the settings of the fleet carries about 1000 kbit/s', async () => {
    const { frames } = startCamera('preset: test-pattern')
    await eventually(() => frames.length >= 120, { withinMs: 30_000 })
    // The first second is above the rate, until the encoder has found its quality.
    const bytes = frames.slice(24, 120).reduce((sum, { length }) => sum + length, 0)

    expect((bytes * 8) / 4 / 1000).toBeGreaterThan(700)
    expect((bytes * 8) / 4 / 1000).toBeLessThan(1_400)
  })
})

describe('an encoder that fails', () => {
  test('by kill -9 is started again, with its fault told', async () => {
    const { camera, encoderPid, isLive, frames, lines } = startCamera('preset: test-pattern')
    await isLive()
    const pid = encoderPid()
    const killedAtMs = performance.now()
    process.kill(pid, 'SIGKILL')
    await eventually(() => camera.status().restarts === 1, { show: () => camera.status() })
    const seen = frames.length
    await isLive()
    await eventually(() => frames.length > seen)
    expect(performance.now() - killedAtMs).toBeLessThan(10_000)

    expect(encoderPid()).not.toBe(pid)
    expect(beginsKeyFrame(frames[seen] ?? Buffer.alloc(0))).toBe(true)
    expect(lines.some((line) => line.includes('ENCODER_ENDED') && line.includes('SIGKILL'))).toBe(true)
  })

  test('by standing still is killed and started again', async () => {
    const { camera, encoderPid, isLive, lines } = startCamera('preset: test-pattern, stallAfter: 1s')
    await isLive()
    const pid = encoderPid()
    process.kill(pid, 'SIGSTOP')
    const stoppedAtMs = performance.now()
    await eventually(() => camera.status().restarts === 1, { show: () => camera.status() })
    const noticedAfterMs = performance.now() - stoppedAtMs
    await isLive()

    expect(noticedAfterMs).toBeLessThan(6_000)
    expect(isRunning(pid)).toBe(false)
    expect(encoderPid()).not.toBe(pid)
    expect(lines.some((line) => line.includes('ENCODER_STALLED'))).toBe(true)
  })

  test('by a wrong option says what ffmpeg said, and is tried ever more rarely', async () => {
    const { camera, fails } = startCamera(
      'preset: custom, arguments: [-f, lavfi, -i, testsrc2, -c:v, nonsense]',
    )
    await fails('ENCODER_OPTIONS_WRONG')

    expect(camera.status().fault?.message).toContain('nonsense')
    expect(camera.status().stderr.join()).toContain('nonsense')
  })
})

describe('a camera that cannot be used', () => {
  test('because it is not there is told by name', async () => {
    const { camera, fails } = startCamera('device: /dev/v4l/by-id/none')
    await fails('CAMERA_MISSING')

    expect(camera.status().fault?.message).toContain('/dev/v4l/by-id/none is not there')
  })

  test('because it is no camera is told by name', async () => {
    const { camera, fails } = startCamera('device: /dev/null')
    await fails('CAMERA_WRONG_FORMAT')

    expect(camera.status().fault?.message).toContain('/dev/null')
  })

  test('because ffmpeg is not installed is told with what to do', async () => {
    const { camera, fails } = startCamera('preset: test-pattern', {
      environment: { PATH: temporaryDirectory() },
    })
    await fails('FFMPEG_MISSING')

    expect(camera.status().fault?.message).toContain('apt install ffmpeg')
  })

  test('comes alive by itself when it is plugged in', async () => {
    const directory = temporaryDirectory()
    const ffmpeg = join(directory, 'ffmpeg')
    const { camera, fails, isLive } = startCamera('preset: test-pattern', { ffmpeg })
    await fails('FFMPEG_MISSING')

    writeFileSync(ffmpeg, '#!/bin/sh\nexec ffmpeg "$@"\n')
    chmodSync(ffmpeg, 0o755)
    await isLive()

    expect(camera.status().fault).toBeUndefined()
  })
})

describe('nothing is left of an encoder', () => {
  test('when the camera is stopped, also of what the encoder has started itself', async () => {
    const directory = temporaryDirectory()
    const ffmpeg = join(directory, 'ffmpeg')
    writeFileSync(ffmpeg, `#!/bin/sh\nsleep 600 &\necho $! > ${directory}/child\nffmpeg "$@"\n`)
    chmodSync(ffmpeg, 0o755)
    const { encoderPid, isLive, stop } = startCamera('preset: test-pattern', { ffmpeg })
    await isLive()
    const pid = encoderPid()
    await stop()

    await eventually(() => !isGroupAlive(pid))
    expect(isRunning(pid)).toBe(false)
  })

  test('when it does not hear SIGTERM', async () => {
    const directory = temporaryDirectory()
    const ffmpeg = join(directory, 'ffmpeg')
    writeFileSync(ffmpeg, '#!/bin/sh\ntrap "" TERM\nffmpeg "$@"\nwhile true; do sleep 1; done\n')
    chmodSync(ffmpeg, 0o755)
    const { encoderPid, isLive, stop } = startCamera('preset: test-pattern', { ffmpeg })
    await isLive()
    const pid = encoderPid()
    const startedAtMs = performance.now()
    await stop()

    expect(performance.now() - startedAtMs).toBeLessThan(4_500)
    await eventually(() => !isGroupAlive(pid))
  })

  test('when the agent is killed with -9, even while the encoder stands still', async () => {
    const script = fileURLToPath(new URL('run-camera.ts', import.meta.url))
    const agent = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
    cleanUps.push(() => void agent.kill('SIGKILL'))
    let output = ''
    agent.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    await eventually(() => output.includes('\n'))
    const pid = Number(output)
    expect(isRunning(pid)).toBe(true)
    process.kill(pid, 'SIGSTOP')

    agent.kill('SIGKILL')

    await eventually(() => !isGroupAlive(pid))
  })
})

/** A process of the group runs; a dead leader whose parent is gone too may stay for a moment. */
function isGroupAlive(leader: number): boolean {
  return isRunning(-leader)
}
