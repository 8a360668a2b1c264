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
 * Puts keys into the text of a `known_hosts`. Lines of other names, comments and what cannot be read stay as they are. A
 * key of the same type that differs is a conflict, unless it is signed or may replace. When keys were signed stands in the
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
    const own = lines.filter((line) => nameOf(line) === id)
    const present = own.map(keyOf)
    const hasChanged = present.length > 0 && keys.some((key) => isOther(key, present))
    const knownAtSec = Math.max(0, ...own.map(signedAtSecOf))
    const isBehind = (signedAtSec ?? 0) < knownAtSec
    if (!mayReplace && (isBehind || (hasChanged && signedAtSec === undefined))) {
      if (hasChanged && signedAtSec === undefined) conflicts.push(id)
      else if (hasChanged) outdated.push({ id, signedAtSec: signedAtSec ?? 0, knownAtSec })
      continue
    }
    if (hasChanged) replaced.push(id)
    lines = [
      ...lines.filter((line) => nameOf(line) !== id),
      ...keys.map((key) => `${id} ${key}${signedComment(signedAtSec ?? 0)}`),
    ]
  }
  return { text: lines.length === 0 ? '' : `${lines.join('\n')}\n`, conflicts, outdated, replaced }
}

const signedWord = 'signed='

function signedComment(atSec: number): string {
  return atSec === 0 ? '' : ` ${signedWord}${timeText(atSec)}`
}

/** 0 where the line does not say. */
function signedAtSecOf(line: string): number {
  const comment = line.split(' ')[3] ?? ''
  const atMs = comment.startsWith(signedWord) ? Date.parse(comment.slice(signedWord.length)) : Number.NaN
  return Number.isNaN(atMs) ? 0 : Math.floor(atMs / 1000)
}

/** A second of 1970 in RFC 3339. Pure. */
export function timeText(atSec: number): string {
  return new Date(atSec * 1000).toISOString().replace('.000Z', 'Z')
}

/** Only plain lines with one name are ours; a marked, hashed or joined one is somebody's own. */
function nameOf(line: string): string | undefined {
  return /^([\w-]+) \S+ \S+/.exec(line)?.[1]
}

function keyOf(line: string): string {
  return line.split(' ').slice(1, 3).join(' ')
}

function isOther(key: string, present: readonly string[]): boolean {
  const [type] = key.split(' ')
  const same = present.filter((known) => known.split(' ')[0] === type)
  // A type that was not there before is as good as another key: whoever poses as the host may come with one.
  return !same.includes(key)
}
