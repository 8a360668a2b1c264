import {
  type KnownHostLine,
  meansHost,
  parseKnownHostLine,
  signedWord,
  withoutHost,
} from './known-host-line.ts'

/** The keys that stand for one experiment. */
export interface NamedKeys {
  readonly id: string
  /** Type and key. */
  readonly keys: readonly string[]
  /** A device that is known has signed them, at this second of 1970, or 0 where it does not say; undefined: nobody has. */
  readonly signedAtSec: number | undefined
  /** Whether the person wants them in the place of any others. */
  readonly mayReplace: boolean
}

/** Keys that were signed before those that are known. */
export interface OutdatedKeys {
  readonly id: string
  readonly signedAtSec: number
  readonly knownAtSec: number
}

export interface MergedKnownHosts {
  readonly text: string
  /** Experiments whose key is another one now, and that keep the one before. */
  readonly conflicts: readonly string[]
  /** Experiments that keep their keys, as the signature of the others is an older one. */
  readonly outdated: readonly OutdatedKeys[]
  /** Experiments whose key was replaced. */
  readonly replaced: readonly string[]
}

/**
 * Puts keys into the text of a `known_hosts`. Lines of other names, marked ones, comments and what cannot be read stay as
 * they are; a line counts for an experiment where ssh finds its name, be it hashed, a pattern or one of several. A key of
 * the same type that differs is a conflict, unless it is signed or may replace. When keys were signed stands in the
 * comment of their lines: what was signed earlier, or not at all, never takes their place, so that whoever kept an old
 * answer cannot bring back a key that was given up. Pure.
 */
export function mergeKnownHosts(before: string, named: readonly NamedKeys[]): MergedKnownHosts {
  const conflicts: string[] = []
  const outdated: OutdatedKeys[] = []
  const replaced: string[] = []
  let lines = before.split('\n').filter((line, index, all) => line !== '' || index < all.length - 1)
  for (const { id, keys, signedAtSec, mayReplace } of named) {
    if (keys.length === 0) continue
    const own = lines.flatMap((line) => ownLine(line, id) ?? [])
    const present = own.map(({ key }) => key)
    const hasChanged = present.length > 0 && keys.some((key) => isOther(key, present))
    const knownAtSec = Math.max(0, ...own.map((line) => line.signedAtSec))
    const isBehind = (signedAtSec ?? 0) < knownAtSec
    if (!mayReplace && (isBehind || (hasChanged && signedAtSec === undefined))) {
      if (hasChanged && signedAtSec === undefined) conflicts.push(id)
      else if (hasChanged) outdated.push({ id, signedAtSec: signedAtSec ?? 0, knownAtSec })
      continue
    }
    if (hasChanged) replaced.push(id)
    lines = [
      ...lines.flatMap((line) => {
        const known = ownLine(line, id)
        return known === undefined ? [line] : (withoutHost(line, known.names, id) ?? [])
      }),
      ...keys.map((key) => `${id} ${key}${signedComment(signedAtSec ?? 0)}`),
    ]
  }
  return { text: lines.length === 0 ? '' : `${lines.join('\n')}\n`, conflicts, outdated, replaced }
}

function signedComment(atSec: number): string {
  return atSec === 0 ? '' : ` ${signedWord}${timeText(atSec)}`
}

/** A second of 1970 in RFC 3339. Pure. */
export function timeText(atSec: number): string {
  return new Date(atSec * 1000).toISOString().replace('.000Z', 'Z')
}

function ownLine(line: string, id: string): KnownHostLine | undefined {
  const known = parseKnownHostLine(line)
  return known !== undefined && meansHost(known.names, id) ? known : undefined
}

function isOther(key: string, present: readonly string[]): boolean {
  const [type] = key.split(' ')
  const same = present.filter((known) => known.split(' ')[0] === type)
  // A type that was not there before is as good as another key: whoever poses as the host may come with one.
  return !same.includes(key)
}
