/** The nearest number within [min, max]; not-a-number becomes `min`, so that nothing after it is poisoned. */
export function clamp(value: number, min: number, max: number): number {
  if (value > max) return max
  return value >= min ? value : min
}
