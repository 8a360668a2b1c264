import { realpathSync, statSync } from 'node:fs'

/**
 * Which device stands behind a path now: a camera that was pulled and put back is another one, though its name may be
 * the same. Undefined while nothing is there.
 */
export function deviceIdentity(path: string): string | undefined {
  try {
    const { ino, rdev } = statSync(path)
    return `${realpathSync(path)} ${rdev} ${ino}`
  } catch {
    return undefined
  }
}
