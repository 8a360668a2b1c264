import type { HealthPart } from './health-part.ts'

/** How much a part brings at the moment. */
export interface Activity {
  /** `camera front`. */
  readonly part: string
  /** Frames of a camera, messages of all others, over the last seconds; undefined until it was looked at twice. */
  readonly perSecond: number | undefined
  /** For how long nothing more has come, as far as that was looked at; undefined while nothing has come yet. */
  readonly quietMs: number | undefined
}

interface Sample {
  readonly count: number
  readonly atMs: number
}

/** A rate is that of the last so many looks: steady for the eye, and still soon at 0. */
const keptSamples = 6

/** Measures rates from counters that are looked at now and then: the parts themselves do nothing for it. */
export class ActivityMeter {
  readonly #samplesByPart = new Map<string, Sample[]>()
  readonly #movedAtMsByPart = new Map<string, number>()

  /** Looks at the counters. `nowMs` is of a clock that never jumps. Parts that are gone are forgotten. */
  sample(parts: readonly HealthPart[], nowMs: number): void {
    const seen = new Set(parts.map(({ title }) => title))
    for (const title of this.#samplesByPart.keys()) {
      if (seen.has(title)) continue
      this.#samplesByPart.delete(title)
      this.#movedAtMsByPart.delete(title)
    }
    for (const { title, count } of parts) if (count !== undefined) this.#add(title, count, nowMs)
  }

  /** What is known of a part at `nowMs`. */
  of(title: string, nowMs: number): Activity {
    const samples = this.#samplesByPart.get(title) ?? []
    const [first] = samples
    const last = samples.at(-1)
    const movedAtMs = this.#movedAtMsByPart.get(title)
    return {
      part: title,
      perSecond:
        first === undefined || last === undefined || last.atMs <= first.atMs
          ? undefined
          : ((last.count - first.count) * 1000) / (last.atMs - first.atMs),
      quietMs: movedAtMs === undefined ? undefined : Math.max(0, nowMs - movedAtMs),
    }
  }

  #add(title: string, count: number, atMs: number): void {
    const before = this.#samplesByPart.get(title) ?? []
    const last = before.at(-1)
    if (count > 0 && count !== last?.count) this.#movedAtMsByPart.set(title, atMs)
    // A counter that fell is that of a new part under an old name.
    const kept = last !== undefined && count < last.count ? [] : before.slice(1 - keptSamples)
    this.#samplesByPart.set(title, [...kept, { count, atMs }])
  }
}
