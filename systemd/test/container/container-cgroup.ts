import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from '../../../test-rig/src/rig/until.ts'
import { cgroupHierarchies } from './why-no-container.ts'

/** Begins the name of every container of ours, before the number of the process that owns it. */
const prefix = 'relay-test-'

/**
 * A cgroup of its own for one container, in each hierarchy; without it, the systemd inside would take over that of the
 * test, and two containers could not run beside each other.
 */
export class ContainerCgroup implements AsyncDisposable {
  readonly name: string
  readonly folders: readonly string[]

  private constructor(name: string) {
    this.name = name
    this.folders = cgroupHierarchies().map((hierarchy) => join(hierarchy, name))
  }

  static async create(title: string): Promise<ContainerCgroup> {
    await sweepLeftovers()
    const cgroup = new ContainerCgroup(`${prefix}${process.pid}-${title}`)
    for (const folder of cgroup.folders) await mkdir(folder, { recursive: true })
    return cgroup
  }

  /** A line of shell that moves the shell into it. */
  get enterScript(): string {
    return this.folders.map((folder) => `echo $$ > ${folder}/cgroup.procs`).join(' && ')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Busy until the kernel has done with the last process.
    await until(`the end of ${this.name}`, async () => {
      for (const folder of this.folders) await removeCgroup(folder)
      return true
    })
  }
}

/** Takes away what killed runs left; they can be told by the number of a process that is no more. */
async function sweepLeftovers(): Promise<void> {
  for (const hierarchy of cgroupHierarchies()) {
    for (const name of await readdir(hierarchy)) {
      const owner = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : Number.NaN
      if (Number.isNaN(owner) || existsSync(`/proc/${owner}`)) continue
      // Still busy: another run takes it away.
      await removeCgroup(join(hierarchy, name)).catch(() => undefined)
    }
  }
}

/** Ends what runs in it and takes it away. @throws as long as the kernel has not done with a process of it. */
async function removeCgroup(folder: string): Promise<void> {
  if (!existsSync(folder)) return
  const pids = (await readFile(join(folder, 'cgroup.procs'), 'utf8')).split('\n').map(Number)
  for (const pid of pids.filter((each) => each > 0)) endProcess(pid)
  const entries = await readdir(folder, { withFileTypes: true })
  for (const entry of entries.filter((each) => each.isDirectory()))
    await removeCgroup(join(folder, entry.name))
  await rmdir(folder)
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has gone meanwhile.
  }
}
