/** The keys that stand for one experiment. */
export interface NamedKeys {
  readonly id: string
  /** Type and key. */
  readonly keys: readonly string[]
  /** Whether they may take the place of others: they are vouched for, or the person wants it. */
  readonly mayReplace: boolean
}

export interface MergedKnownHosts {
  readonly text: string
  /** Experiments whose key is another one now, and that keep the one before. */
  readonly conflicts: readonly string[]
  /** Experiments whose key was replaced. */
  readonly replaced: readonly string[]
}

/**
 * Puts keys into the text of a `known_hosts`. Lines of other names, comments and what cannot be read stay as they are. A
 * key of the same type that differs is a conflict, unless it may replace. Pure.
 */
export function mergeKnownHosts(before: string, named: readonly NamedKeys[]): MergedKnownHosts {
  const conflicts: string[] = []
  const replaced: string[] = []
  let lines = before.split('\n').filter((line, index, all) => line !== '' || index < all.length - 1)
  for (const { id, keys, mayReplace } of named) {
    if (keys.length === 0) continue
    const present = lines.filter((line) => nameOf(line) === id).map(keyOf)
    const hasChanged = present.length > 0 && keys.some((key) => isOther(key, present))
    if (hasChanged && !mayReplace) {
      conflicts.push(id)
      continue
    }
    if (hasChanged) replaced.push(id)
    lines = [...lines.filter((line) => nameOf(line) !== id), ...keys.map((key) => `${id} ${key}`)]
  }
  return { text: lines.length === 0 ? '' : `${lines.join('\n')}\n`, conflicts, replaced }
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
