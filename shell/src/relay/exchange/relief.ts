import type { Link } from './link.ts'
import type { Pair } from './pair.ts'

/** Whatever keeps bytes for somebody who does not take them. */
export interface Keeper {
  readonly waitingBytes: number
  /** Ends it, or the part of it that keeps the most. */
  readonly giveUp: () => void
}

/** Those of `keepers` that keep the most are given up, one after the other, until `isEnough`. */
export function relieve(keepers: () => Iterable<Keeper>, isEnough: () => boolean): void {
  while (!isEnough()) {
    let worst: Keeper | undefined
    let sumBytes = 0
    for (const keeper of keepers()) {
      sumBytes += keeper.waitingBytes
      if (keeper.waitingBytes > (worst?.waitingBytes ?? 0)) worst = keeper
    }
    if (worst === undefined) return
    worst.giveUp()
    // Nobody may turn here for ever, whatever giving up does.
    if (sumOf(keepers()) >= sumBytes) return
  }
}

/** The largest messages that are not whole yet, so many that the others together stay within `maxBytes`. Pure. */
export function largestUnfinished(links: Iterable<Link>, maxBytes: number): readonly Link[] {
  const bySize = [...links].filter(({ unfinished }) => unfinished.bytes > 0)
  bySize.sort((one, other) => other.unfinished.bytes - one.unfinished.bytes)
  let sumBytes = bySize.reduce((bytes, { unfinished }) => bytes + unfinished.bytes, 0)
  let count = 0
  for (const { unfinished } of bySize) {
    if (sumBytes <= maxBytes) break
    sumBytes -= unfinished.bytes
    count += 1
  }
  return bySize.slice(0, count)
}

export interface ParkedLimits {
  readonly maxPerId: number
  readonly max: number
}

/** The oldest parked pairs, so many that the others are few enough, of each id and in all. `pairs`: oldest first. Pure. */
export function tooManyParked(pairs: Iterable<Pair>, { maxPerId, max }: ParkedLimits): readonly Pair[] {
  const countById = new Map<string, number>()
  let count = 0
  const parked = [...pairs].filter(({ phase }) => phase === 'parked')
  return parked.toReversed().filter(({ permission: { id } }) => {
    const countOfId = (countById.get(id) ?? 0) + 1
    countById.set(id, countOfId)
    if (countOfId > maxPerId) return true
    count += 1
    return count > max
  })
}

function sumOf(keepers: Iterable<Keeper>): number {
  let bytes = 0
  for (const { waitingBytes } of keepers) bytes += waitingBytes
  return bytes
}
