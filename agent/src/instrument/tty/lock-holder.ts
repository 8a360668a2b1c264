import { readFile, stat } from 'node:fs/promises'

export interface LockHolder {
  readonly pid: number
  /** Of its program; '' where that cannot be seen. */
  readonly program: string
}

/**
 * Who has locked a port with `flock`, as the kernel tells in `/proc/locks`; undefined for nobody, and where it cannot be
 * seen. Asked before a port is opened: the library sets the line of a port first and looks for locks then, so that
 * each try would change parity and stop bits under the hands of the owner.
 */
export async function lockHolder(path: string): Promise<LockHolder | undefined> {
  try {
    const [{ dev, ino }, locks] = await Promise.all([stat(path), readFile('/proc/locks', 'utf8')])
    const pid = pidOfLock(locks, { dev, ino })
    if (pid === undefined) return undefined
    const program = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')
    return { pid, program: program.trim() }
  } catch {
    return undefined
  }
}

/** The process that holds the lock of a file; undefined for none. Pure. */
export function pidOfLock(
  locks: string,
  { dev, ino }: { readonly dev: number; readonly ino: number },
): number | undefined {
  // As in sysmacros.h; the kernel writes both in hexadecimal.
  const major = Math.floor(dev / 0x100) % 0x1000
  const minor = (dev % 0x100) + Math.floor(dev / 0x100000) * 0x100
  const hex = (number: number): string => number.toString(16).padStart(2, '0')
  const file = `${hex(major)}:${hex(minor)}:${ino}`
  for (const line of locks.split('\n')) {
    // `1: FLOCK  ADVISORY  WRITE 1234 00:05:677 0 EOF`; whoever only waits has an arrow in the second place.
    const [, kind, , , pid, held] = line.trim().split(/\s+/)
    if (kind === 'FLOCK' && held === file && Number(pid) > 0) return Number(pid)
  }
  return undefined
}
