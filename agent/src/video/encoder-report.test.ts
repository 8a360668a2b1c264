import { expect, test } from 'vitest'
import { encoderCandidates } from './encoder-candidates.ts'
import { chosenEncoder, encoderReport, judgeTrials } from './encoder-report.ts'
import type { EncoderTrial } from './try-encoders.ts'

const picture = { size: '640x480', framesPerSecond: 24, bitsPerSecond: 1_000_000 }
const maxCores = 0.5

/** Cost and speed of some; the others are not there. */
function trials(
  figures: Readonly<Record<string, readonly [cores: number, speed: number]>>,
): readonly EncoderTrial[] {
  return encoderCandidates(picture).map((candidate) => {
    const figure = figures[candidate.name]
    if (figure === undefined) return { candidate, outcome: 'skipped', reason: 'not here' }
    const [cores, speed] = figure
    return { candidate, outcome: 'measured', cores, speed }
  })
}

const chosen = (figures: Parameters<typeof trials>[0]): string | undefined =>
  chosenEncoder(judgeTrials(trials(figures), maxCores))?.name

test('MPEG-1 is taken where it fits, as every page shows it, though others cost less', () => {
  expect(chosen({ 'mpeg1-compat': [0.4, 4], 'h264-v4l2m2m': [0.1, 3], 'h264-copy': [0, 900] })).toBe(
    'mpeg1-compat',
  )
})

test('where it does not, the one that costs least of those that keep up; copying is never the advice', () => {
  expect(
    chosen({
      'mpeg1-compat': [0.9, 1.1],
      'h264-v4l2m2m': [0.2, 1.2],
      h264_vaapi: [0.3, 4],
      'x264-ultrafast': [0.4, 4],
    }),
  ).toBe('h264_vaapi')
  expect(chosen({ 'h264-copy': [0, 900] })).toBeUndefined()
})

test('the report gives each its line, and says what to write into the configuration', () => {
  const verdicts = judgeTrials(
    trials({ 'mpeg1-compat': [0.9, 2], 'h264-v4l2m2m': [0.2, 1.2], h264_vaapi: [0.3, 4] }),
    maxCores,
  )

  expect(
    encoderReport(verdicts, { picture, maxCores }),
  ).toBe(`640x480 at 24 frames/s and 1000 kbit/s, at most 50 % of one core:

encoder         of one core  speed
mpeg1-compat    90 %         2.0x   costs too much
h264-copy       -            -      skipped: not here
h264-v4l2m2m    20 %         1.2x   too slow
h264_rkmpp      -            -      skipped: not here
h264_nvmpi      -            -      skipped: not here
h264_nvenc      -            -      skipped: not here
h264_vaapi      30 %         4.0x   fits
x264-ultrafast  -            -      skipped: not here

take "preset: custom" with "arguments: ['-vaapi_device', '/dev/dri/renderD128', '-f', 'v4l2', '-i', 'DEVICE', '-vf', 'format=nv12,hwupload', '-r', '24', '-b:v', '1000k', '-g', '24', '-bf', '0', '-c:v', 'h264_vaapi']"
`)
})

test('where none keeps up it says what else would help', () => {
  expect(encoderReport(judgeTrials(trials({}), maxCores), { picture, maxCores })).toContain(
    'none keeps up: take a smaller',
  )
})
