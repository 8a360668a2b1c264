import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { systemClock } from '@relay/common/clock'
import { runProgram } from '@relay/common/command-line'
import { describe, expect, test } from 'vitest'
import { agentProgram } from '../src/program.ts'
import { tryEncoders } from '../src/video/try-encoders.ts'
import { cameraFixture, writeScript } from './camera-fixture.ts'

const { temporaryDirectory } = cameraFixture()
const picture = { size: '320x240', framesPerSecond: 24, bitsPerSecond: 500_000 }
const { signal } = new AbortController()

async function run(...argv: readonly string[]) {
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const code = await runProgram(agentProgram('v0.2'), ['encoders', ...argv], {
    environment: process.env,
    stdin: new PassThrough(),
    stdout,
    stderr,
    signal,
  })
  const text = (stream: PassThrough): string => String((stream.read() as Buffer | null) ?? '')
  return { code, stdout: text(stdout), stderr: text(stderr) }
}

describe('relay-agent encoders', () => {
  test('measures real encoders for the picture of the configuration, and leaves nothing behind', async () => {
    const directory = temporaryDirectory()
    const file = join(directory, 'agent.yaml')
    writeFileSync(
      file,
      'cameras: [{ name: a, preset: test-pattern, size: 160x120 }, { name: b, feed: b, preset: test-pattern, size: 320x240, framesPerSecond: 25 }]',
    )
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith('relay-encoders-'))
    const { code, stdout } = await run('--config', file, '--camera', 'b', '--seconds', '1', '--json')
    const report = JSON.parse(stdout) as {
      readonly chosen: string
      readonly picture: unknown
      readonly encoders: readonly {
        readonly name: string
        readonly outcome: string
        readonly cores?: number
      }[]
    }
    const mpeg1 = report.encoders.find(({ name }) => name === 'mpeg1-compat')

    expect(code).toBe(0)
    expect(report.picture).toEqual({ size: '320x240', framesPerSecond: 25, bitsPerSecond: 1_000_000 })
    expect(mpeg1?.outcome).toBe('measured')
    expect(mpeg1?.cores).toBeGreaterThan(0)
    expect(report.encoders.map(({ name }) => name)).toContain('h264-copy')
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('relay-encoders-'))).toEqual(before)
  })

  test.each([
    [['--size', '640'], '--size must be width x height'],
    [['--seconds', '0'], '--seconds must be a number from 1 to 60'],
    [['--camera', 'front'], '--camera needs the file'],
  ])('refuses %j with one sentence', async (argv, sentence) => {
    const { code, stderr } = await run(...argv)

    expect(code).toBe(64)
    expect(stderr).toContain(sentence)
  })

  test('without ffmpeg says what to install', async () => {
    const { code, stderr } = await run('--ffmpeg', '/nowhere/ffmpeg')

    expect(code).toBe(69)
    expect(stderr).toContain('apt install ffmpeg')
  })
})

test('hardware is tried only where it is there, and an encoder that fails is told in the words of ffmpeg', async () => {
  const sysRoot = temporaryDirectory()
  const driver = join(sysRoot, 'class', 'video4linux', 'video11')
  mkdirSync(driver, { recursive: true })
  writeFileSync(join(driver, 'name'), 'bcm2835-codec-encode\n')
  const trials = await tryEncoders({
    ffmpeg: '/usr/bin/ffmpeg',
    picture,
    videoMs: 500,
    clock: systemClock,
    signal,
    sysRoot,
  })
  const of = (name: string) => trials.find(({ candidate }) => candidate.name === name)

  expect(of('h264-v4l2m2m')).toMatchObject({ outcome: 'failed' })
  expect(JSON.stringify(of('h264-v4l2m2m'))).toMatch(/could not find a valid device/i)
  expect(of('h264_rkmpp')).toMatchObject({ outcome: 'skipped' })
})

test('where not even a video to try with can be made, it is an error with what ffmpeg said', async () => {
  const ffmpeg = writeScript(temporaryDirectory(), 'ffmpeg', 'echo "Unknown encoder mjpeg" >&2; exit 1')

  await expect(
    tryEncoders({ ffmpeg, picture, videoMs: 500, clock: systemClock, signal }),
  ).rejects.toMatchObject({
    code: 'ENCODER_TRIAL_FAILED',
    message: expect.stringContaining('Unknown encoder mjpeg') as unknown,
  })
})
