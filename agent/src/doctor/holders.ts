import { serviceName } from './service.ts'
import type { Machine } from './machine.ts'

/** A process that has a file open. */
export interface Holder {
  readonly pid: number
  readonly name: string
  /** It belongs to the service: its ffmpeg, or the agent. */
  readonly isOurs: boolean
}

const maxProcesses = 4_096
const maxFilesEach = 1_024

/** Who has which of these files open, by path. Only root sees the files of other users' processes. */
export async function gatherHolders(
  machine: Machine,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly Holder[]>> {
  const holders = new Map<string, Holder[]>(paths.map((path) => [path, []]))
  const pids = (await machine.list('/proc')).filter((name) => /^[0-9]+$/.test(name)).slice(0, maxProcesses)
  for (const pid of pids) {
    if (signal.aborted || paths.length === 0) break
    const files = (await machine.list(`/proc/${pid}/fd`)).slice(0, maxFilesEach)
    const targets = await Promise.all(files.map((file) => machine.readLink(`/proc/${pid}/fd/${file}`)))
    const held = [...holders.keys()].filter((path) => targets.includes(path))
    if (held.length === 0) continue
    const [name = '?', group = ''] = await Promise.all([
      machine.readText(`/proc/${pid}/comm`),
      machine.readText(`/proc/${pid}/cgroup`),
    ])
    for (const path of held)
      holders.get(path)?.push({ pid: Number(pid), name: name.trim(), isOurs: group.includes(serviceName) })
  }
  return holders
}

/** "by picocom (4711)" of those that are not the service's own; undefined where there are none. Pure. */
export function strangers(holders: readonly Holder[]): string | undefined {
  const others = holders.filter(({ isOurs }) => !isOurs)
  return others.length === 0 ? undefined : others.map(({ name, pid }) => `${name} (${pid})`).join(', ')
}
