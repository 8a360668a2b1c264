import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { encoderArguments } from '../../agent/src/video/encoder-presets.ts'
import { TsCutter } from '../../agent/src/video/ts-cutter.ts'
import { expect, test } from 'vitest'

/** What this test uses of the player of the fleet's pages. */
interface JsMpeg {
  readonly Demuxer: { readonly TS: (new (options: object) => Demuxer) & { readonly STREAM: Streams } }
  readonly Decoder: {
    readonly MPEG1Video: new (options: object) => Decoder
    readonly MP2Audio: new (options: object) => Decoder
  }
}
interface Streams {
  readonly VIDEO_1: number
  readonly AUDIO_1: number
}
interface Demuxer {
  connect(stream: number, decoder: Decoder): void
  write(data: ArrayBuffer): void
}
interface Decoder {
  connect(destination: object): void
  decode(): boolean
}

/** The player itself; it runs without a page as long as nothing is drawn. */
function loadPlayer(): JsMpeg {
  const file = new URL('jsmpeg-player.umd.min.js', import.meta.resolve('@cycjimmy/jsmpeg-player'))
  const window = { performance, addEventListener: () => undefined }
  const arrays = {
    ArrayBuffer,
    Uint8Array,
    Uint8ClampedArray,
    Uint16Array,
    Int16Array,
    Int32Array,
    Float32Array,
  }
  const context = createContext({ window, self: window, performance, navigator: {}, setTimeout, ...arrays })
  runInContext(readFileSync(fileURLToPath(file), 'utf8'), context)
  return (context as unknown as { readonly JSMpeg: JsMpeg }).JSMpeg
}

test('the player of the fleet decodes each picture and each piece of sound, message by message', async () => {
  const player = loadPlayer()
  const played = { pictures: 0, sounds: 0, loudest: 0 }
  const demuxer = new player.Demuxer.TS({})
  const video = new player.Decoder.MPEG1Video({ videoBufferSize: 1_048_576 })
  video.connect({ resize: () => undefined, render: () => void (played.pictures += 1) })
  const audio = new player.Decoder.MP2Audio({ audioBufferSize: 131_072 })
  audio.connect({
    enabled: true,
    play: (_rate: number, left: Float32Array) => {
      played.sounds += 1
      played.loudest = Math.max(played.loudest, ...left)
    },
  })
  demuxer.connect(player.Demuxer.TS.STREAM.VIDEO_1, video)
  demuxer.connect(player.Demuxer.TS.STREAM.AUDIO_1, audio)
  const args = encoderArguments({
    preset: 'test-pattern',
    device: '',
    size: '320x240',
    framesPerSecond: 24,
    bitsPerSecond: 1_000_000,
    arguments: [],
    inputFormat: '',
    audio: { device: 'test-tone', bitsPerSecond: 64_000 },
    thumbnails: false,
    fontFile: undefined,
  })
  const ffmpeg = spawn('ffmpeg', [...args.slice(0, -1), '-t', '3', 'pipe:1'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const cutter = new TsCutter({ maxMessageBytes: 1_048_576 })
  const play = (message: Buffer): void => {
    demuxer.write(new Uint8Array(message).buffer)
    while (video.decode());
    while (audio.decode());
  }
  for await (const chunk of ffmpeg.stdout) cutter.push(chunk as Buffer, play)
  cutter.flush(play)
  const { frames, audioUnits, skippedBytes } = cutter.counters

  expect(skippedBytes).toBe(0)
  expect(frames).toBeGreaterThanOrEqual(70)
  expect(audioUnits).toBeGreaterThanOrEqual(120)
  // The player gives out what is complete by the beginning of the next one.
  expect(frames - played.pictures).toBeLessThanOrEqual(1)
  expect(audioUnits - played.sounds).toBeLessThanOrEqual(1)
  expect(played.loudest).toBeGreaterThan(0.03)
})
