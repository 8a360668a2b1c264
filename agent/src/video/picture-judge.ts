/**
 * What a camera shows.
 *
 * - `unseen`: nothing was seen yet.
 * - `moving`: it changes.
 * - `still`: it changes by no more than the noise of a sensor: an experiment at rest.
 * - `frozen`: it has not changed by a single bit: a sensor has noise, so this comes from a buffer somewhere (or from a
 *   source without a sensor, such as a grabber of a screen).
 * - `black`: nothing to see: a lens cap, a dark room, a dead sensor. Whether it is frozen as well cannot be told, as
 *   noise is cut off at black.
 */
export type PictureState = 'unseen' | 'moving' | 'still' | 'frozen' | 'black'

/** Brightness is 0 to 255. Below both a picture shows nothing; a lamp in a dark room raises the deviation. */
const blackMean = 20
const blackDeviation = 5
/** Noise of a cheap sensor in the dark moves single points so far. */
const noiseLevel = 12
/** When so many points have changed by more than noise something has moved. */
const movedShare = 0.01

/**
 * Judges thumbnails, one after another. It knows no clock and does no I/O.
 *
 * Invariants: `frozen` and `black` are said only after they held for `afterMs` without a break, and taken back with
 * the first thumbnail that shows otherwise, so that the state changes at most twice in `afterMs`.
 */
export class PictureJudge {
  readonly #afterMs: number
  #last: Buffer | undefined
  /** How it looked when it moved last: slow movements add up against it. */
  #reference: Buffer | undefined
  #identicalSinceMs = 0
  #stillSinceMs = 0
  #blackSinceMs: number | undefined
  #state: PictureState = 'unseen'

  constructor({ afterMs }: { readonly afterMs: number }) {
    this.#afterMs = afterMs
  }

  get state(): PictureState {
    return this.#state
  }

  /** `nowMs` is of a clock that never jumps. */
  look(thumbnail: Buffer, nowMs: number): PictureState {
    const isIdentical = this.#last?.equals(thumbnail) === true
    if (!isIdentical) {
      this.#last = Buffer.from(thumbnail)
      this.#identicalSinceMs = nowMs
    }
    if (this.#reference === undefined || hasMoved(this.#reference, thumbnail)) {
      this.#reference = Buffer.from(thumbnail)
      this.#stillSinceMs = nowMs
    }
    this.#blackSinceMs = isBlack(thumbnail) ? (this.#blackSinceMs ?? nowMs) : undefined
    this.#state = this.#decide(nowMs)
    return this.#state
  }

  #decide(nowMs: number): PictureState {
    const isOld = (sinceMs: number): boolean => nowMs - sinceMs >= this.#afterMs
    if (this.#blackSinceMs !== undefined && isOld(this.#blackSinceMs)) return 'black'
    // What may yet turn out to be black is not called frozen.
    if (this.#blackSinceMs === undefined && isOld(this.#identicalSinceMs)) return 'frozen'
    return isOld(this.#stillSinceMs) ? 'still' : 'moving'
  }
}

function isBlack(thumbnail: Buffer): boolean {
  let sum = 0
  let squares = 0
  for (const level of thumbnail) {
    sum += level
    squares += level * level
  }
  const mean = sum / thumbnail.length
  const variance = squares / thumbnail.length - mean * mean
  return mean < blackMean && variance < blackDeviation * blackDeviation
}

function hasMoved(before: Buffer, now: Buffer): boolean {
  if (before.length !== now.length) return true
  let moved = 0
  for (const [index, level] of now.entries()) {
    if (Math.abs(level - (before[index] ?? 0)) > noiseLevel) moved += 1
  }
  return moved > now.length * movedShare
}
