import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '@relay/common/clock'
import { loadConfig } from '@relay/common/config/load-config'
import { AppError } from '@relay/common/errors'
import { describe, expect, test } from 'vitest'
import { agentConfigSpec } from '../src/config.ts'
import { FeedHub } from '../src/feeds/feed-hub.ts'
import { Progress } from '@relay/common/progress'
import { Camera } from '../src/video/camera.ts'
import { cameraOptions } from '../src/video/camera-options.ts'
import { EncoderStuckError, runEncoder } from '../src/video/encoder.ts'
import { LastLines } from '../src/video/last-lines.ts'
import type { UsbLocation } from '../src/video/usb-location.ts'
import { cameraFixture, hurriedClock, writeScript } from './camera-fixture.ts'
import { capturedLog } from './captured-log.ts'
import { eventually, isRunning } from './eventually.ts'

const { cleanUps, temporaryDirectory, startCamera } = cameraFixture()
const location: UsbLocation = { name: '1-1.4', busNumber: 1, deviceNumber: 7, hub: '1-1', port: 4 }

test('a camera whose encoder gives nothing is reset on the USB, and gives pictures after that', async () => {
  const directory = temporaryDirectory()
  const device = join(directory, 'video0')
  writeFileSync(device, '')
  // Says nothing until the camera was reset.
  const ffmpeg = writeScript(
    directory,
    'ffmpeg',
    `[ -e ${directory}/reset ] || exec sleep 600\nexec ffmpeg -loglevel error -re -f lavfi -i testsrc2=rate=24 -c:v mpeg1video -f mpegts pipe:1`,
  )
  const config = loadConfig(agentConfigSpec, {
    file: {
      path: 'agent.yaml',
      text: `cameras: [{ name: cam, device: ${device}, picture: { watch: false }, recovery: { upTo: usb-reset } }]`,
    },
  })
  const [cameraConfig] = config.cameras
  if (cameraConfig === undefined) throw new Error('no camera')
  const options = cameraOptions(cameraConfig, ffmpeg, process.env)
  const { log, lines } = capturedLog()
  const camera = new Camera(
    {
      ...options,
      recovery: {
        ...options.recovery,
        locate: () => location,
        resetUsb: (place) => {
          writeFileSync(join(directory, 'reset'), place.name)
          return Promise.resolve({ ok: true })
        },
      },
    },
    { hub: new FeedHub(), clock: hurriedClock(20), random: Math.random, log },
  )
  const controller = new AbortController()
  const running = camera.run(controller.signal)
  cleanUps.push(async () => {
    controller.abort()
    await running
  })
  await eventually(() => camera.status().state === 'live', { show: () => camera.status() })

  expect(camera.status()).toMatchObject({ recovery: { usbResets: 1, powerCycles: 0 } })
  expect(camera.status().restarts).toBeGreaterThanOrEqual(3)
  expect(lines.join()).toContain('camera was reset')
  expect(camera.progress.overdueMs).toBe(0)
})

test('two cameras look after themselves: one that fails disturbs the other by nothing', async () => {
  const well = startCamera('preset: test-pattern')
  const ill = startCamera('preset: custom, arguments: [-f, lavfi, -i, nonsense]')
  await well.isLive()
  await eventually(() => ill.camera.status().restarts >= 3, {
    show: () => ill.camera.status(),
    withinMs: 60_000,
  })

  expect(well.camera.status()).toMatchObject({
    state: 'live',
    restarts: 0,
    fault: undefined,
    skippedBytes: 0,
  })
  expect(ill.camera.status().frames).toBe(0)
})

describe('an encoder that hangs within a driver', () => {
  test('is given up after a while, and it is known when it is gone', async () => {
    const directory = temporaryDirectory()
    const file = writeScript(directory, 'encoder', 'exec sleep 600')
    let pid = 0
    const { signal } = new AbortController()
    const clock = hurriedClock(10)
    const progress = new Progress(clock)
    const stuck = await runEncoder(
      {
        command: { file, args: [] },
        device: '',
        stallAfterMs: 1_000,
        firstByteWithinMs: 1_000,
        onStart: (started) => {
          pid = started
        },
        onBytes: () => undefined,
        onThumbnails: undefined,
        shouldEnd: () => undefined,
        stderr: new LastLines({ maxLines: 1, maxLineLength: 1 }),
        clock,
        progress,
        // As the kernel does while the driver does not return.
        killGroup: () => undefined,
      },
      signal,
    ).catch((error: unknown) => error)
    cleanUps.push(() => {
      if (isRunning(pid)) process.kill(pid, 'SIGKILL')
    })

    if (!(stuck instanceof EncoderStuckError)) throw new Error('it was not told as stuck', { cause: stuck })
    expect(stuck).toMatchObject({ code: 'ENCODER_STUCK', details: { pid } })
    expect(isRunning(pid)).toBe(true)
    process.kill(pid, 'SIGKILL')
    await stuck.gone
    expect(isRunning(pid)).toBe(false)
  })
})

test('an encoder is ended for the reason that its owner gives', async () => {
  const file = writeScript(temporaryDirectory(), 'encoder', 'while echo x; do sleep 0.1; done')
  const reason = new AppError('CAMERA_LOST', 'it went away')
  let asked = 0
  const { signal } = new AbortController()
  const ended = runEncoder(
    {
      command: { file, args: [] },
      device: '',
      stallAfterMs: 10_000,
      firstByteWithinMs: 10_000,
      onStart: () => undefined,
      onBytes: () => undefined,
      onThumbnails: undefined,
      shouldEnd: () => {
        asked += 1
        return asked > 2 ? reason : undefined
      },
      stderr: new LastLines({ maxLines: 1, maxLineLength: 1 }),
      clock: systemClock,
      progress: new Progress(systemClock),
    },
    signal,
  )

  await expect(ended).rejects.toBe(reason)
})
