const units = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const

/** How long, in words that a person takes in at a glance: `3 days`, `1 hour`, `40 seconds`. Pure. */
export function ageText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  for (const [unit, length] of units) {
    // Two of a kind before the larger unit is used: 90 minutes say more than 1 hour.
    if (seconds < length * (length === 1 ? 1 : 2)) continue
    const count = Math.floor(seconds / length)
    return `${count} ${unit}${count === 1 ? '' : 's'}`
  }
  return seconds === 0 ? 'less than a second' : `${seconds} seconds`
}
