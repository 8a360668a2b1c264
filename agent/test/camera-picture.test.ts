import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { cameraFixture, hurriedClock, writeScript } from './camera-fixture.ts'
import { eventually } from './eventually.ts'

const { temporaryDirectory, startCamera } = cameraFixture()

const moves = 'testsrc2=size=320x240:rate=24'
/** Moves for a second, then gives out one frame for ever. */
const freezes = `${moves},loop=loop=-1:size=1:start=24`
/** A grey wall, as a sensor sees it. */
const rests = 'color=gray:size=320x240:rate=24,noise=alls=4:allf=t'
const dark = 'color=black:size=320x240:rate=24,noise=alls=4:allf=t'

/** Real ffmpeg whose test pattern is what `show` said last. */
function shownBy(directory: string) {
  const file = join(directory, 'source')
  const ffmpeg = writeScript(
    directory,
    'ffmpeg',
    `source=$(cat ${file})
for arg do
  shift
  case $arg in testsrc2*) arg=$source ;; esac
  set -- "$@" "$arg"
done
exec ffmpeg "$@"`,
  )
  const show = (source: string): void => writeFileSync(file, source)
  return { ffmpeg, show }
}

describe('the picture', () => {
  test('that freezes is told in status and log, and does no more than that', async () => {
    const { ffmpeg, show } = shownBy(temporaryDirectory())
    show(freezes)
    const { camera, logs, isLive } = startCamera('preset: test-pattern, picture: { faultAfter: 3s }', {
      ffmpeg,
    })
    await isLive()
    await eventually(() => camera.status().picture?.state === 'moving', { show: () => camera.status() })
    await logs('picture of camera is frozen')

    expect(camera.status()).toMatchObject({
      state: 'live',
      restarts: 0,
      picture: { state: 'frozen', frozenTimes: 1, blackTimes: 0 },
    })
  })

  test('that freezes starts the encoder anew where that is asked for, once, and is back by that', async () => {
    const { ffmpeg, show } = shownBy(temporaryDirectory())
    show(freezes)
    const { camera, logs, fails, isLive } = startCamera(
      'preset: test-pattern, picture: { faultAfter: 3s, whenFrozen: recover }',
      { ffmpeg },
    )
    await isLive()
    show(moves)
    await fails('CAMERA_FROZEN')
    await logs('picture of camera is back')

    expect(camera.status()).toMatchObject({ restarts: 1, picture: { state: 'moving', frozenTimes: 1 } })
  })

  test('that stays frozen is not started anew again and again', async () => {
    const { ffmpeg, show } = shownBy(temporaryDirectory())
    show('color=gray:size=320x240:rate=24')
    const { camera, fails } = startCamera(
      'preset: test-pattern, picture: { faultAfter: 1s, whenFrozen: recover }',
      {
        ffmpeg,
      },
    )
    await fails('CAMERA_FROZEN')
    const { frames } = camera.status()
    await eventually(() => camera.status().frames > frames + 24 * 6, { show: () => camera.status() })

    expect(camera.status()).toMatchObject({ restarts: 1, state: 'live', picture: { state: 'frozen' } })
  })

  test('of an experiment at rest is still, never frozen', async () => {
    const { ffmpeg, show } = shownBy(temporaryDirectory())
    show(rests)
    const { camera, lines } = startCamera(
      'preset: test-pattern, picture: { faultAfter: 2s, whenFrozen: recover }',
      {
        ffmpeg,
      },
    )
    await eventually(() => camera.status().picture?.state === 'still', { show: () => camera.status() })
    await eventually(() => camera.status().frames > 24 * 6, { show: () => camera.status() })

    expect(camera.status()).toMatchObject({ restarts: 0, picture: { state: 'still', frozenTimes: 0 } })
    expect(lines.join()).not.toContain('picture of camera')
  })

  test('that is black is told, and no restart follows, as light is all that helps', async () => {
    const { ffmpeg, show } = shownBy(temporaryDirectory())
    show(dark)
    const { camera, logs } = startCamera(
      'preset: test-pattern, picture: { faultAfter: 2s, whenFrozen: recover }',
      {
        ffmpeg,
      },
    )
    await logs('picture of camera is black')
    await eventually(() => camera.status().frames > 24 * 6, { show: () => camera.status() })

    expect(camera.status()).toMatchObject({
      state: 'live',
      restarts: 0,
      picture: { state: 'black', blackTimes: 1, frozenTimes: 0 },
    })
  })

  test('is not looked at where that is switched off', async () => {
    const { camera, isLive, frames } = startCamera('preset: test-pattern, picture: { watch: false }')
    await isLive()
    await eventually(() => frames.length > 48)

    expect(camera.status().picture).toBeUndefined()
  })
})

describe('a camera that is pulled out', () => {
  /** An encoder that needs no camera; its picture comes at once. */
  function anyCamera(directory: string): string {
    return writeScript(
      directory,
      'ffmpeg',
      'exec ffmpeg -loglevel error -re -f lavfi -i testsrc2=size=320x240:rate=24 -c:v mpeg1video -bf 0 -f mpegts -flush_packets 1 pipe:1',
    )
  }

  test('is noticed though its encoder goes on, and is started within two seconds after it is back', async () => {
    const directory = temporaryDirectory()
    const bus = join(directory, 'bus')
    const device = join(directory, 'v4l', 'by-id', 'cam')
    const plug = (): void => {
      writeFileSync(bus, '')
      mkdirSync(join(directory, 'v4l', 'by-id'), { recursive: true })
      symlinkSync(bus, device)
    }
    // udev takes the whole directory away with the last camera.
    const unplug = (): void => {
      rmSync(join(directory, 'v4l'), { recursive: true })
      rmSync(bus)
    }
    plug()
    const { camera, isLive, fails, frames } = startCamera(`device: ${device}, picture: { watch: false }`, {
      ffmpeg: anyCamera(directory),
    })
    await isLive()

    for (let round = 1; round <= 5; round += 1) {
      unplug()
      await fails('CAMERA_MISSING')
      expect(camera.status()).toMatchObject({ state: 'waiting', restarts: round })
      const seen = frames.length
      plug()
      const pluggedAtMs = performance.now()
      await eventually(() => camera.status().pid !== undefined)
      expect(performance.now() - pluggedAtMs).toBeLessThan(2_000)
      await isLive()
      await eventually(() => frames.length > seen)
    }
  })

  test('and put back at once under the same name is another one: its encoder is started anew', async () => {
    const directory = temporaryDirectory()
    const device = join(directory, 'video0')
    writeFileSync(device, '')
    writeFileSync(join(directory, 'next'), '')
    const { camera, isLive, logs } = startCamera(`device: ${device}, picture: { watch: false }`, {
      ffmpeg: anyCamera(directory),
    })
    await isLive()

    renameSync(join(directory, 'next'), device)
    await logs('CAMERA_LOST')
    await isLive()

    expect(camera.status()).toMatchObject({ restarts: 1, fault: undefined })
  })

  test('keeps its promises to the watchdog while it is away, and is at rest when it is stopped', async () => {
    const directory = temporaryDirectory()
    const clock = hurriedClock(20)
    const { camera, fails, stop } = startCamera(`device: ${join(directory, 'none')}`, { clock })
    await fails('CAMERA_MISSING')
    const sinceMs = clock.monotonicMs()
    // Longer than any of its promises.
    await eventually(() => clock.monotonicMs() - sinceMs > 90_000)

    expect(camera.progress.overdueMs).toBe(0)
    await stop()
    expect(camera.status().state).toBe('stopped')
    await eventually(() => clock.monotonicMs() - sinceMs > 150_000)
    expect(camera.progress.overdueMs).toBe(0)
  })
})

test('a format that the camera does not have is told with those that it has', async () => {
  const directory = temporaryDirectory()
  const device = join(directory, 'video0')
  writeFileSync(device, '')
  writeScript(
    directory,
    'v4l2-ctl',
    `echo "[0]: 'MJPG' (Motion-JPEG)"\necho '	Size: Discrete 640x480'\necho '		Interval: Discrete 0.033s (30.000 fps)'\necho asked >> ${directory}/asked`,
  )
  const ffmpeg = writeScript(
    directory,
    'ffmpeg',
    `echo "[video4linux2,v4l2 @ 0x5] Cannot find a proper format for codec 'h264'" >&2; exit 1`,
  )
  const { camera, fails } = startCamera(
    `device: ${device}, preset: h264-copy, size: 1280x720, framesPerSecond: 25`,
    {
      ffmpeg,
      environment: { PATH: `${directory}:${process.env.PATH}` },
    },
  )
  await fails('CAMERA_WRONG_FORMAT')

  expect(camera.status().fault?.message).toContain(
    'camera offers: mjpeg 640x480 (30 fps); asked: h264 1280x720 at 25 frames/s',
  )
  expect(existsSync(join(directory, 'asked'))).toBe(true)
})
