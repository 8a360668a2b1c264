import type { Clock } from '@relay/common/clock'
import type { Environment } from '@relay/common/proxy'

export interface FileFacts {
  readonly kind: 'file' | 'directory' | 'character' | 'other'
  /** The permission bits alone. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly sizeBytes: number
}

export interface SpaceFacts {
  readonly totalBytes: number
  /** For programs that are not root. */
  readonly freeBytes: number
  /** 0 where the file system counts none. */
  readonly totalInodes: number
  readonly freeInodes: number
}

/** How a command ended. Its texts are cut to `maxOutputBytes` each. */
export type CommandEnd =
  | { readonly kind: 'ended'; readonly code: number; readonly stdout: string; readonly stderr: string }
  /** Not installed, or not to be started. */
  | { readonly kind: 'missing' }
  /** Killed at its deadline. */
  | { readonly kind: 'late'; readonly stdout: string; readonly stderr: string }

export interface CommandLimits {
  /** Default 4 s. */
  readonly timeoutMs?: number
  /** Default 64 KiB. */
  readonly maxOutputBytes?: number
}

/**
 * What the doctor may look at. Paths are absolute and looked for below the root of the machine, which is another one in
 * tests and for the card of another board. Nothing here throws: what is not there is undefined or empty.
 */
export interface Machine {
  readonly environment: Environment
  readonly clock: Clock
  /** Of the user who runs the doctor. */
  readonly userId: number
  /** The beginning of a regular file, at most 64 KiB; of none outside of the root. */
  readText(path: string): Promise<string | undefined>
  /** Names in a directory, sorted. */
  list(path: string): Promise<readonly string[]>
  /** Follows links. */
  stat(path: string): Promise<FileFacts | undefined>
  /** Where a path leads, links followed. */
  realPath(path: string): Promise<string | undefined>
  /** Where a link leads, as it is written. */
  readLink(path: string): Promise<string | undefined>
  space(path: string): Promise<SpaceFacts | undefined>
  /** Runs a program of the search path, without a shell. */
  run(program: string, args: readonly string[], limits?: CommandLimits): Promise<CommandEnd>
}

/** The output of a command that ended with 0; undefined for every other end. */
export function outputOf(end: CommandEnd): string | undefined {
  return end.kind === 'ended' && end.code === 0 ? end.stdout : undefined
}

/** `Key=value` lines, as `systemctl show` and `timedatectl show` print them. The last of several counts. Pure. */
export function keyValues(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  for (const line of text.split('\n')) {
    const at = line.indexOf('=')
    if (at > 0) values.set(line.slice(0, at).trim(), line.slice(at + 1).trim())
  }
  return values
}
