import { accessSync, constants, mkdirSync, readFileSync, rmdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * Why this machine cannot boot a container with a systemd of its own; undefined where it can. A test that is skipped
 * says it in its name.
 */
export function whyNoContainer(): string | undefined {
  if (process.getuid?.() !== 0) return 'it needs root'
  const missing = ['systemd-nspawn', 'nsenter', 'mmdebstrap', 'setpriv'].filter((name) => !isOnPath(name))
  if (missing.length > 0) return `${missing.join(', ')} missing`
  const hierarchies = cgroupHierarchies()
  if (hierarchies.length === 0) return 'no cgroup v2 is mounted'
  return hierarchies.map(whyNotWritable).find((reason) => reason !== undefined)
}

/**
 * Where a process is put to give it a cgroup of its own: the v2 hierarchy, and that of systemd beside it where the
 * machine mounts both.
 */
export function cgroupHierarchies(): readonly string[] {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
  const unified = mounts.filter(([, , type]) => type === 'cgroup2').map(([, path]) => path)
  const named = mounts
    .filter(([, , type, options = '']) => type === 'cgroup' && options.split(',').includes('name=systemd'))
    .map(([, path]) => path)
  if (unified.length === 0) return []
  return [unified[0], named[0]].filter((path) => path !== undefined)
}

function whyNotWritable(hierarchy: string): string | undefined {
  const probe = join(hierarchy, `relay-probe-${process.pid}`)
  try {
    mkdirSync(probe)
    rmdirSync(probe)
    return undefined
  } catch {
    return `${hierarchy} cannot be written to`
  }
}

/** Whether there is such a program on this machine. */
export function isOnPath(command: string): boolean {
  return [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'].some((directory) => {
    try {
      accessSync(join(directory, command), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
