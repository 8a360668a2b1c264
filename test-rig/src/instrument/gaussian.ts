/** A normally distributed number with mean 0 and deviation 1, always finite (Box-Muller). Pure. */
export function gaussian(random: () => number): number {
  // 1 - x is in (0, 1]: the logarithm of 0 never happens.
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}
