import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, systemClock } from '@relay/common/clock'
import { loadConfig } from '@relay/common/config/load-config'
import { afterEach } from 'vitest'
import { agentConfigSpec } from '../src/config.ts'
import { FeedHub } from '../src/feeds/feed-hub.ts'
import { Camera } from '../src/video/camera.ts'
import { cameraOptions } from '../src/video/camera-options.ts'
import { capturedLog } from './captured-log.ts'
import { eventually } from './eventually.ts'

/** Cameras and directories of one test file; all are gone after each test. */
export function cameraFixture() {
  const cleanUps: (() => Promise<void> | void)[] = []
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
  })

  function temporaryDirectory(): string {
    const directory = mkdtempSync(join(tmpdir(), 'camera-'))
    cleanUps.push(() => rmSync(directory, { recursive: true }))
    return directory
  }

  /** A camera as the configuration describes it, with real ffmpeg unless told otherwise. */
  function startCamera(
    settings: string,
    {
      ffmpeg = 'ffmpeg',
      environment = process.env,
      clock = systemClock,
    }: {
      readonly ffmpeg?: string
      readonly environment?: Readonly<Record<string, string | undefined>>
      readonly clock?: Clock
    } = {},
  ) {
    const config = loadConfig(agentConfigSpec, {
      file: { path: 'agent.yaml', text: `cameras: [{ name: cam, ${settings} }]` },
    })
    const [cameraConfig] = config.cameras
    if (cameraConfig === undefined) throw new Error('no camera')
    const hub = new FeedHub()
    const frames: Buffer[] = []
    hub.join('video', { name: 'viewer', deliver: ({ data, binary }) => void (binary && frames.push(data)) })
    const { log, lines } = capturedLog()
    const camera = new Camera(cameraOptions(cameraConfig, ffmpeg, environment), {
      hub,
      clock,
      random: Math.random,
      log,
    })
    const controller = new AbortController()
    const running = camera.run(controller.signal)
    const stop = async (): Promise<void> => {
      controller.abort()
      await running
    }
    cleanUps.push(stop)
    const show = (): unknown => camera.status()
    return {
      camera,
      frames,
      lines,
      stop,
      isLive: () => eventually(() => camera.status().state === 'live', { show }),
      fails: (code: string) => eventually(() => camera.status().fault?.code === code, { show }),
      logs: (text: string, withinMs = 20_000) =>
        eventually(() => lines.some((line) => line.includes(text)), { show: () => lines, withinMs }),
      encoderPid: () => {
        const { pid } = camera.status()
        if (pid === undefined) throw new Error('no encoder runs')
        return pid
      },
    }
  }

  return { cleanUps, temporaryDirectory, startCamera }
}

/** Writes a shell script that can be run, and gives its path. */
export function writeScript(directory: string, name: string, text: string): string {
  const path = join(directory, name)
  writeFileSync(path, `#!/bin/sh\n${text}\n`)
  chmodSync(path, 0o755)
  return path
}

/** The machine's clock, `times` as fast: for waits of minutes with real programs. */
export function hurriedClock(times: number): Clock {
  return {
    nowMs: () => Date.now(),
    monotonicMs: () => systemClock.monotonicMs() * times,
    after: (delayMs, action) => systemClock.after(delayMs / times, action),
    sleep: (delayMs, signal) => systemClock.sleep(delayMs / times, signal),
  }
}
