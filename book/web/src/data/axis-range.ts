export type Range = readonly [min: number, max: number]

/** Room above and below the values. */
const paddingShare = 0.1
/** The axis shrinks only when the values fill less than this of it. */
const shrinkBelowShare = 0.4

/**
 * The range of a chart's axis for values between `low` and `high`. It grows at once and shrinks rarely, so that the scale
 * of a live chart stays readable instead of breathing with every sample. Pure.
 */
export function nextAxisRange(before: Range | undefined, low: number, high: number): Range {
  const wanted = padded(low, high)
  if (before === undefined) return wanted
  const [min, max] = before
  const isInside = low >= min && high <= max
  if (isInside && high - low >= (max - min) * shrinkBelowShare) return before
  if (isInside && isFlat(low, high) && max - min <= 4 * (wanted[1] - wanted[0])) return before
  if (isInside) return wanted
  return [low < min ? wanted[0] : min, high > max ? wanted[1] : max]
}

function padded(low: number, high: number): Range {
  const span = isFlat(low, high) ? Math.max(Math.abs(low) * 0.5, 0.5) : high - low
  return [low - span * paddingShare, high + span * paddingShare]
}

function isFlat(low: number, high: number): boolean {
  return high - low <= Math.abs(low) * 1e-9
}
