import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

export interface ProcessEntry {
  readonly pid: number
  readonly parentPid: number
  readonly commandLine: string
}

/** Every process below `rootPid`, children before grandchildren. */
export async function processTree(rootPid: number): Promise<readonly ProcessEntry[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,ppid=,args='])
  const entries = stdout.split('\n').flatMap((line): ProcessEntry[] => {
    const [, pid, parentPid, commandLine] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []
    return commandLine === undefined ? [] : [{ pid: Number(pid), parentPid: Number(parentPid), commandLine }]
  })
  const found: ProcessEntry[] = []
  let parents = new Set([rootPid])
  while (parents.size > 0) {
    const children = entries.filter(({ parentPid }) => parents.has(parentPid))
    found.push(...children)
    parents = new Set(children.map(({ pid }) => pid))
  }
  return found
}
