import type { Arguments } from '@relay/common/command-line'
import { UsageError } from '@relay/common/errors'

/**
 * The number given for an option, checked.
 * @throws {UsageError} when it is none, or lies outside [min, max].
 */
export function numberOption(
  args: Arguments,
  name: string,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  const value = args[name]
  if (typeof value !== 'number' || !(value >= min && value <= max)) {
    throw new UsageError(`--${name} must be a number from ${min} to ${max}`)
  }
  return value
}
