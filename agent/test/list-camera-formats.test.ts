import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@relay/common/clock'
import { afterEach, expect, test } from 'vitest'
import { describeFormats } from '../src/video/camera-formats.ts'
import { listCameraFormats } from '../src/video/list-camera-formats.ts'
import { runTool } from '../src/video/run-tool.ts'
import { eventually, isRunning } from './eventually.ts'

const directories: string[] = []
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true })
})

function programs(scripts: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'formats-'))
  directories.push(directory)
  for (const [name, text] of Object.entries(scripts)) {
    writeFileSync(join(directory, name), `#!/bin/sh\n${text}\n`)
    chmodSync(join(directory, name), 0o755)
  }
  return directory
}

const { signal } = new AbortController()

test('v4l2-ctl is asked first', async () => {
  const searchPath = programs({
    'v4l2-ctl': `echo "[0]: 'MJPG' (for $2)"; echo ' Size: Discrete 640x480'`,
    ffmpeg: 'exit 1',
  })

  const answer = await listCameraFormats('/dev/video7', { ffmpeg: 'ffmpeg', searchPath, signal })

  expect(answer.ok && describeFormats(answer.formats)).toBe('mjpeg 640x480')
})

test('ffmpeg is asked where v4l2-ctl hangs, and what hangs is killed', async () => {
  const searchPath = programs({
    'v4l2-ctl': 'exec /bin/sleep 600',
    ffmpeg: `echo '[v4l2 @ 0x1] Raw       : yuyv422 : YUYV 4:2:2 : 320x240' >&2; exit 1`,
  })

  const answer = await listCameraFormats('/dev/video7', {
    ffmpeg: 'ffmpeg',
    searchPath,
    signal,
    timeoutMs: 1_000,
  })

  expect(answer.ok && describeFormats(answer.formats)).toBe('yuyv422 320x240')
})

test('real ffmpeg says why a device that is no camera has no formats', async () => {
  const answer = await listCameraFormats('/dev/null', {
    ffmpeg: 'ffmpeg',
    searchPath: process.env.PATH,
    signal,
    timeoutMs: 20_000,
  })

  expect(answer).toEqual({
    ok: false,
    reason: 'ffmpeg said: /dev/null: Inappropriate ioctl for device',
  })
})

test('without a tool it says what to install', async () => {
  const answer = await listCameraFormats('/dev/video7', {
    ffmpeg: 'ffmpeg',
    searchPath: programs({}),
    signal,
  })

  expect(answer.ok ? '' : answer.reason).toContain('apt install v4l-utils')
})

test('a tool that is too late is killed with what it has started, and talk without end is cut', async () => {
  const directory = programs({
    tool: '/bin/sleep 600 &\necho $!\nwhile true; do echo 0123456789; done',
  })

  const result = await runTool(
    { file: join(directory, 'tool'), args: [] },
    { timeoutMs: 500, maxOutputBytes: 1_000, clock: systemClock, signal },
  )

  expect(result.outcome).toBe('timed out')
  expect(result.stdout).toHaveLength(1_000)
  const child = Number(result.stdout.split('\n')[0])
  expect(child).toBeGreaterThan(1)
  await eventually(() => !isRunning(child))
})
