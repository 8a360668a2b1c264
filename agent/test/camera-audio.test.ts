import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isTransportStream } from '../src/video/ts-cutter.ts'
import { cameraFixture, hurriedClock, writeScript } from './camera-fixture.ts'
import { eventually } from './eventually.ts'

const { temporaryDirectory, startCamera } = cameraFixture()

/** Times at which pictures and sounds of a message are to be shown (ISO/IEC 13818-1, 2.4.3.7). */
function timesOf(message: Buffer): { readonly pictures: number[]; readonly sounds: number[] } {
  const pictures: number[] = []
  const sounds: number[] = []
  for (let offset = 0; offset < message.length; offset += 188) {
    const isUnitStart = ((message[offset + 1] ?? 0) & 0x40) !== 0
    const hasAdaptation = ((message[offset + 3] ?? 0) & 0x20) !== 0
    const pes = offset + 4 + (hasAdaptation ? 1 + (message[offset + 4] ?? 0) : 0)
    if (!isUnitStart || pes + 14 > offset + 188 || message.readUIntBE(pes, 3) !== 1) continue
    const kind = (message[pes + 3] ?? 0) & 0xe0
    const high = ((message[pes + 9] ?? 0) >> 1) & 7
    const ticks =
      high * 2 ** 30 + (message.readUInt16BE(pes + 10) >> 1) * 2 ** 15 + (message.readUInt16BE(pes + 12) >> 1)
    ;(kind === 0xc0 ? sounds : pictures).push(ticks / 90)
  }
  return { pictures, sounds }
}

test('sound goes with the video, in order, promptly, and as whole packets', async () => {
  const { camera, frames, stop } = startCamera('preset: test-pattern, audio: { device: test-tone }')
  await eventually(() => camera.status().frames >= 24 * 5, { show: () => camera.status() })
  await stop()
  const times = frames.map((message) => timesOf(message))
  const sounds = times.flatMap((time) => time.sounds)
  const pictures = times.flatMap((time) => time.pictures)

  expect(frames.every((message) => isTransportStream(message))).toBe(true)
  expect(sounds).toEqual(sounds.toSorted((a, b) => a - b))
  expect(pictures).toEqual(pictures.toSorted((a, b) => a - b))
  // MP2 at 48 kHz: a piece each 24 ms, none gathered.
  expect(sounds.length / ((sounds.at(-1) ?? 0) - (sounds[0] ?? 0))).toBeCloseTo(1 / 24, 2)
  // What comes together belongs together: neither waits for the other.
  let picture = pictures[0] ?? 0
  for (const time of times.slice(24)) {
    picture = time.pictures.at(-1) ?? picture
    for (const sound of time.sounds) expect(Math.abs(sound - picture)).toBeLessThan(250)
  }
  expect(camera.status().audio).toMatchObject({ state: 'live', fault: undefined })
  expect(camera.status()).toMatchObject({ skippedBytes: 0, restarts: 0, picture: { state: 'moving' } })
})

test('a microphone that is not there does not take the picture with it, and is told', async () => {
  const { camera, isLive, frames } = startCamera('preset: test-pattern, audio: { device: nonsense }')
  await eventually(() => camera.status().audio?.state === 'failed', { show: () => camera.status() })
  await isLive()
  await eventually(() => frames.length > 24)

  expect(camera.status()).toMatchObject({
    state: 'live',
    restarts: 0,
    fault: undefined,
    audio: { state: 'failed', fault: { code: 'AUDIO_FAILED' } },
  })
  expect(camera.status().audio?.fault?.message).toContain('nonsense')
})

/** Real ffmpeg; the microphone `mic` is a tone while the file of that name is there. */
function withMicrophone(directory: string, tone = 'sine=sample_rate=48000'): string {
  return writeScript(
    directory,
    'ffmpeg',
    `if [ -e ${directory}/mic ]; then
  last=
  for arg do
    shift
    case $last$arg in
      -falsa) arg=lavfi ;;
      -imic) arg=${tone} ;;
    esac
    last=$arg
    set -- "$@" "$arg"
  done
  case "$*" in *lavfi*null*) ;; *) set -- -re "$@" ;; esac
fi
exec ffmpeg "$@"`,
  )
}

test('a microphone that ends takes nothing with it, and one that is back is heard again', async () => {
  const directory = temporaryDirectory()
  const ffmpeg = withMicrophone(directory, 'sine=sample_rate=48000:duration=4')
  writeFileSync(join(directory, 'mic'), '')
  const { camera, isLive, logs } = startCamera(
    'preset: test-pattern, stallAfter: 20s, audio: { device: mic }',
    {
      ffmpeg,
      // The first try comes after half a minute.
      clock: hurriedClock(5),
    },
  )
  await isLive()
  await eventually(() => camera.status().audio?.state === 'live', { show: () => camera.status() })
  rmSync(join(directory, 'mic'))
  await logs('AUDIO_STALLED', 60_000)
  await eventually(() => camera.status().audio?.state === 'failed' && camera.status().state === 'live', {
    show: () => camera.status(),
  })
  writeFileSync(join(directory, 'mic'), '')
  const before = camera.status().audio?.units ?? 0
  await logs('sound of camera can be had again', 60_000)
  await eventually(() => (camera.status().audio?.units ?? 0) > before, { show: () => camera.status() })

  expect(camera.status()).toMatchObject({ state: 'live', restarts: 0 })
})

test('where a picture comes only without the sound, the sound is to blame', async () => {
  const directory = temporaryDirectory()
  const ffmpeg = writeScript(
    directory,
    'ffmpeg',
    `case "$*" in *" mp2 "*) echo 'something nobody foresaw' >&2; exit 1 ;; esac\nexec ffmpeg "$@"`,
  )
  const { camera, isLive } = startCamera('preset: test-pattern, audio: { device: test-tone }', { ffmpeg })
  await isLive()

  expect(camera.status().audio?.fault?.message).toBe(
    'ffmpeg gives a picture only without the sound of test-tone',
  )
})
