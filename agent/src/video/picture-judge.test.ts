import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PictureJudge } from './picture-judge.ts'

const points = 768
const afterMs = 15_000

/** A picture with bright and dark places. */
const scene = Buffer.from(Array.from({ length: points }, (_, index) => (index * 7) % 256))
const black = Buffer.alloc(points, 3)

/** Each point off by -3 to 3, as by a sensor; another one for each `seed`. */
function withNoise(picture: Buffer, seed: number): Buffer {
  return Buffer.from(picture.map((level, index) => clamp(level + (((index * 31 + seed * 17) % 7) - 3))))
}

function clamp(level: number): number {
  return Math.max(0, Math.min(255, level))
}

/** What is said at the end of one thumbnail a second. */
function judge(pictures: readonly Buffer[], judging = new PictureJudge({ afterMs }), fromMs = 0): string[] {
  return pictures.map((picture, index) => judging.look(picture, fromMs + index * 1_000))
}

const times = (count: number, picture: (index: number) => Buffer): Buffer[] =>
  Array.from({ length: count }, (_, index) => picture(index))

describe('a picture', () => {
  test('that changes moves', () => {
    const pictures = times(60, (index) => Buffer.from(scene.map((level) => (level + index * 20) % 256)))

    expect(new Set(judge(pictures))).toEqual(new Set(['moving']))
  })

  test('with nothing but the noise of a sensor is still, however long, and never frozen', () => {
    const said = judge(times(3_600, (index) => withNoise(scene, index)))

    expect(said.slice(0, 15)).not.toContain('still')
    expect(new Set(said.slice(15))).toEqual(new Set(['still']))
  })

  test('that does not change by a bit is frozen after the time that was asked for, not before', () => {
    const said = judge(times(20, () => scene))

    expect(said.indexOf('frozen')).toBe(15)
  })

  test('that was frozen moves with the first change', () => {
    const judging = new PictureJudge({ afterMs })
    judge(
      times(20, () => scene),
      judging,
    )

    expect(judging.state).toBe('frozen')
    expect(judging.look(Buffer.from(scene.toReversed()), 20_000)).toBe('moving')
  })

  test('of which one point flickers by one level is not frozen: something still looks', () => {
    const said = judge(
      times(60, (index) => {
        const picture = Buffer.from(scene)
        picture[5] = index % 2
        return picture
      }),
    )

    expect(said.at(-1)).toBe('still')
  })

  test('behind a lens cap is black, with noise or without, and never frozen', () => {
    for (const pictures of [times(60, () => black), times(60, (index) => withNoise(black, index))]) {
      const said = judge(pictures)
      expect(said).not.toContain('frozen')
      expect(said.indexOf('black')).toBe(15)
    }
  })

  test('of a dark room with a lamp is not black', () => {
    const lamp = Buffer.from(black)
    lamp.fill(200, 0, 20)

    expect(judge(times(60, (index) => withNoise(lamp, index)))).not.toContain('black')
  })

  test('that is dark for a moment again and again is not black', () => {
    const said = judge(times(120, (index) => (index % 12 === 0 ? withNoise(scene, index) : black)))

    expect(said).not.toContain('black')
  })

  test('that creeps moves: small changes add up', () => {
    const said = judge(
      times(300, (index) => Buffer.from(withNoise(scene, index).map((level) => (level + index * 2) % 256))),
    )

    expect(said.slice(1)).not.toContain('still')
  })
})

test('whatever is seen, frozen is said only of pictures that were the same for long enough', () => {
  const kinds = fc.array(fc.record({ kind: fc.nat(2), waitMs: fc.nat(6_000) }), { maxLength: 80 })
  fc.assert(
    fc.property(kinds, (steps) => {
      const judging = new PictureJudge({ afterMs })
      let nowMs = 0
      let sinceMs = 0
      let before = -1
      for (const { kind, waitMs } of steps) {
        nowMs += waitMs
        if (kind !== before) sinceMs = nowMs
        before = kind
        const state = judging.look([scene, black, withNoise(scene, 1)][kind] ?? scene, nowMs)
        expect(state === 'frozen').toBe(kind !== 1 && nowMs - sinceMs >= afterMs)
        expect(state === 'black').toBe(kind === 1 && nowMs - sinceMs >= afterMs)
      }
    }),
  )
})
