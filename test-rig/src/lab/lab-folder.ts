import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const prefix = 'relay-lab-'

/** A new folder that only we can read (0700), named after this process. */
export async function createLabFolder(): Promise<string> {
  return await mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`))
}

/** The process that made a folder of this name, or undefined where the name is none of ours. Pure. */
export function ownerOfFolder(name: string): number | undefined {
  const digits = /^relay-lab-([1-9][0-9]{0,9})-[A-Za-z0-9]{6}$/.exec(name)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/** Removes the folders of laboratories that were killed before they could do it, with the old secrets in them. */
export async function removeAbandonedFolders(): Promise<void> {
  const names = await readdir(tmpdir())
  const abandoned = names.filter((name) => {
    const pid = ownerOfFolder(name)
    return pid !== undefined && !isAlive(pid)
  })
  // One of another user is theirs to remove: we may not, and it does not matter.
  await Promise.allSettled(abandoned.map((name) => rm(join(tmpdir(), name), { recursive: true })))
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
