import type { FileFacts, Machine, SpaceFacts } from '../machine.ts'
import type { Check } from '../run-checks.ts'
import { isWritableInSandbox, mayUse, type ServiceFacts, userPhrase } from '../service.ts'
import { ok, problem, unknown, type Verdict, warning } from '../verdict.ts'

export interface DiskFacts {
  readonly path: string
  /** What it is for, in words. */
  readonly use: string
  readonly space: SpaceFacts | undefined
}

const mebibyte = 1_048_576
const scarceBytes = 512 * mebibyte
const fullBytes = 64 * mebibyte
const scarceInodesShare = 0.05
const fullInodesShare = 0.01
const writeAndSearchBits = 3

export interface DiskDeps {
  readonly machine: Machine
  readonly service: () => Promise<ServiceFacts>
}

export function diskCheck(recordings: { readonly directory: string }, { machine, service }: DiskDeps): Check {
  return {
    area: 'disk',
    look: async () => {
      const places = [
        { path: '/', use: 'the system' },
        { path: '/var/log', use: 'logs' },
        ...(recordings.directory === '' ? [] : [{ path: recordings.directory, use: 'recordings' }]),
      ]
      const disks = await Promise.all(
        places.map(async ({ path, use }) => ({ path, use, space: await machine.space(path) })),
      )
      const file = recordings.directory === '' ? undefined : await machine.stat(recordings.directory)
      return [
        ...judgeDisks(disks),
        ...(file === undefined ? [] : judgeRecordings(recordings.directory, file, await service())),
      ]
    },
  }
}

/** Whether the service may write there. Pure. */
export function judgeRecordings(path: string, file: FileFacts, service: ServiceFacts): readonly Verdict[] {
  const { user, properties } = service
  if (!mayUse(file, user, writeAndSearchBits))
    return [problem(`${userPhrase(user)} may not write to ${path}`, `"chown ${user.name} ${path}"`)]
  if (!isWritableInSandbox(path, properties))
    return [
      problem(
        `the unit lets the service write nothing to ${path} (ProtectSystem)`,
        `"systemctl edit relay-agent" and add ReadWritePaths=${path} below [Service], or use /var/lib/relay-agent`,
      ),
    ]
  return []
}

/** Pure. */
export function judgeDisks(disks: readonly DiskFacts[]): readonly Verdict[] {
  return disks.flatMap(judgeDisk)
}

function judgeDisk({ path, use, space }: DiskFacts): readonly Verdict[] {
  if (space === undefined) {
    if (use === 'logs') return []
    if (use === 'recordings')
      return [
        problem(
          `the directory ${path} for recordings is not there`,
          `make it and give it to the agent: "install -d -o relay-agent ${path}"`,
        ),
      ]
    return [unknown(`the space on ${path} cannot be asked`)]
  }
  const { totalBytes, freeBytes, totalInodes, freeInodes } = space
  const free = `${path} (${use}) has ${sizeText(freeBytes)} of ${sizeText(totalBytes)} left`
  const advice =
    '"journalctl --vacuum-size=50M" and "apt clean" make room; "du -xh / | sort -h | tail" shows what is large'
  // A card for a small board may be smaller than the limit for large ones.
  const scarce = Math.min(scarceBytes, totalBytes / 10)
  const full = Math.min(fullBytes, totalBytes / 50)
  const verdicts: Verdict[] = []
  if (freeBytes <= full) verdicts.push(problem(`${free}: it is full`, advice))
  else if (freeBytes <= scarce) verdicts.push(warning(free, advice))
  const inodeShare = totalInodes === 0 ? 1 : freeInodes / totalInodes
  if (inodeShare <= scarceInodesShare) {
    const what = `${path} (${use}) has room for ${freeInodes} more files only`
    const many = '"du -x --inodes / | sort -n | tail" shows where the many small files are'
    verdicts.push(inodeShare <= fullInodesShare ? problem(what, many) : warning(what, many))
  }
  return verdicts.length > 0 ? verdicts : [ok(free)]
}

function sizeText(bytes: number): string {
  const gibibytes = bytes / 1024 / mebibyte
  return gibibytes >= 1 ? `${gibibytes.toFixed(1)} GiB` : `${(bytes / mebibyte).toFixed(0)} MiB`
}
