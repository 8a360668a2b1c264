/** The range of some values, leaving out NaN; NaN twice where there are none. */
export function lowestAndHighest(values: Float64Array): readonly [lowest: number, highest: number] {
  let lowest = Number.NaN
  let highest = Number.NaN
  for (const value of values) {
    // Written so that a NaN on either side gives way.
    if (!(value >= lowest)) lowest = Number.isNaN(value) ? lowest : value
    if (!(value <= highest)) highest = Number.isNaN(value) ? highest : value
  }
  return [lowest, highest]
}
