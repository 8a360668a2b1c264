import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What makes a build the same again: its version and its time. */
export interface PackageVersion {
  /** As Debian writes it. */
  readonly version: string
  /** Of the commit, in seconds since 1970: the time of every file in the packages. */
  readonly sourceDateEpoch: number
}

/** The facts of a checkout from which its version follows. */
export interface CheckoutFacts {
  /** In package.json, such as 0.2.0. */
  readonly manifestVersion: string
  readonly commit: string
  readonly commitTimeSeconds: number
  /** Tags of that commit. */
  readonly tags: readonly string[]
  /** Whether tracked files differ from the commit. */
  readonly hasChanges: boolean
}

/**
 * `0.2.0` for a commit with the tag `v0.2.0`; else `0.2.0~git20261122.182231.170a98c`, which is older than the release
 * that it leads to, and newer than every commit before it. Uncommitted changes add `+changed`. Pure.
 */
export function versionOf({
  manifestVersion,
  commit,
  commitTimeSeconds,
  tags,
  hasChanges,
}: CheckoutFacts): string {
  const release = manifestVersion.replace('-', '~')
  if (tags.includes(`v${manifestVersion}`) && !hasChanges) return release
  const time = new Date(commitTimeSeconds * 1000)
    .toISOString()
    .replaceAll(/[-:]|\.\d+Z/g, '')
    .replace('T', '.')
  return `${release}~git${time}.${commit.slice(0, 8)}${hasChanges ? '+changed' : ''}`
}

/**
 * The version of a checkout. Without git (an unpacked archive) it is that of package.json, and the time must come by
 * SOURCE_DATE_EPOCH.
 */
export function packageVersion(checkout: string): PackageVersion {
  const { version: manifestVersion } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as {
    readonly version: string
  }
  const given = process.env['SOURCE_DATE_EPOCH'] ?? ''
  // The checkout may belong to another user, as where the tests run as root.
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-c', 'safe.directory=*', ...args], {
      cwd: checkout,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim()
  let commit: string
  try {
    commit = git('rev-parse', 'HEAD')
  } catch (cause) {
    if (!/^\d+$/.test(given)) {
      throw new Error('this is no git checkout: SOURCE_DATE_EPOCH must say of which time it is', { cause })
    }
    return { version: manifestVersion.replace('-', '~'), sourceDateEpoch: Number(given) }
  }
  const commitTimeSeconds = Number(git('show', '-s', '--format=%ct', 'HEAD'))
  const facts = {
    manifestVersion,
    commit,
    commitTimeSeconds,
    tags: git('tag', '--points-at', 'HEAD').split('\n'),
    hasChanges: git('status', '--porcelain', '--untracked-files=no') !== '',
  }
  return {
    version: versionOf(facts),
    sourceDateEpoch: /^\d+$/.test(given) ? Number(given) : commitTimeSeconds,
  }
}
