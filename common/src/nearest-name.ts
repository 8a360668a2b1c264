/** Longer names are no slip of the pen, and comparing them would take long. */
const longestName = 64

/**
 * The name out of `known` that somebody most likely meant by `given`: equal but for case and dashes, or one slip away
 * (two in a longer name; letters swapped are one). Undefined when none is that close. Pure.
 */
export function nearestName(given: string, known: readonly string[]): string | undefined {
  if (given.length > longestName) return undefined
  const wanted = plain(given)
  let limit = wanted.length <= 4 ? 1 : 2
  let nearest: string | undefined
  for (const name of known) {
    const candidate = plain(name)
    const distance = slips(wanted, candidate)
    if (distance > limit || distance >= Math.min(wanted.length, candidate.length)) continue
    nearest = name
    if (distance === 0) break
    limit = distance - 1
  }
  return nearest
}

function plain(name: string): string {
  return name.replaceAll(/[-_]/g, '').toLowerCase()
}

/** Edit distance in which swapping two neighbours counts as one (optimal string alignment). */
function slips(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      let best = Math.min(replaced, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1)
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (isSwap) best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1)
      row.push(best)
    }
    beforeLast = last
    last = row
  }
  return last[b.length] ?? 0
}
