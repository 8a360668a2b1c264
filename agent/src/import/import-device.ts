import type { Environment } from '@relay/common/proxy'
import { LocalMachine } from '../doctor/local-machine.ts'
import type { Machine } from '../doctor/machine.ts'
import { Redactor } from '../doctor/redact.ts'
import { agentYaml } from './agent-yaml.ts'
import { fitConfig } from './fit-config.ts'
import { importText } from './import-text.ts'
import { type ImportPlan, planImport } from './plan-import.ts'
import { type OldDevice, readOldDevice } from './read-old-device.ts'
import { writeImport } from './write-import.ts'

export interface ImportRequest {
  /** Below `root`, as is all that is read. */
  readonly directory: string
  readonly output: string
  readonly root: string
  readonly isDryRun: boolean
  readonly force: boolean
  readonly environment: Environment
  readonly signal: AbortSignal
}

export interface ImportOutcome {
  /** For people; holds no token. */
  readonly text: string
  /** The configuration; holds no token. */
  readonly yaml: string
  /** Nothing was found, and nothing written. */
  readonly isEmpty: boolean
}

/** Of administrators; those of packages know nothing of experiments. */
const unitDirectories = ['/etc/systemd/system', '/usr/local/lib/systemd/system']

/**
 * Reads an old device, decides, and writes unless it is a dry run.
 * @throws {UnavailableError} `IMPORT_OUTPUT_EXISTS`, `IMPORT_NOT_WRITTEN`.
 */
export async function importDevice(request: ImportRequest): Promise<ImportOutcome> {
  const { directory, output, root, isDryRun, force, environment, signal } = request
  const machine = new LocalMachine({ environment, signal, root })
  const [device, stableNames, owner] = await Promise.all([
    readOldDevice(machine, { directory, unitDirectories }),
    gatherStableNames(machine),
    isDryRun ? undefined : serviceOwner(new LocalMachine({ environment, signal })),
  ])
  const nowMs = machine.clock.nowMs()
  const plan = planImport(device, { nowMs, stableName: (path) => stableNames.get(path) })
  const { config, leftOut } = fitConfig(plan.config)
  const { topics, cameras, instruments, streams, shell } = config
  const isEmpty =
    shell === undefined && [topics, cameras, instruments, streams].every((list) => list.length === 0)
  const stamp = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const yaml = agentYaml(config, [
    `Made by "relay-agent import ${directory}" of the files of an old device, ${stamp}.`,
    'What is left out has its default; agent.example.yaml shows everything.',
  ])
  const tokens = new Map(
    [...topics, ...(shell === undefined ? [] : [shell])].map(
      ({ tokenFile }) => [tokenFile, plan.tokens.get(tokenFile) ?? ''] as const,
    ),
  )
  const kept =
    isDryRun || isEmpty ? undefined : await writeImport({ output, yaml, tokens, force, owner, stamp })
  const redactor = new Redactor(secretsOf(device, plan))
  const text = importText({
    device,
    plan,
    leftOut,
    output,
    isDryRun,
    isEmpty,
    kept,
    hasOwner: owner !== undefined,
  })
  return { text: redactor.ownText(text), yaml, isEmpty }
}

function secretsOf(device: OldDevice, plan: ImportPlan): readonly string[] {
  return [
    ...plan.tokens.values(),
    ...device.loose.filter(({ kind }) => kind === 'token').map(({ text }) => text),
    ...device.parts.flatMap((part) =>
      part.kind === 'destination' || part.kind === 'shell-host' ? [part.token] : [],
    ),
  ]
}

/** Names that do not change by those that do, where a device has just one. */
async function gatherStableNames(machine: Machine): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>()
  const several = new Set<string>()
  for (const directory of ['/dev/v4l/by-id', '/dev/serial/by-id']) {
    for (const name of (await machine.list(directory)).slice(0, 256)) {
      const device = await machine.realPath(`${directory}/${name}`)
      if (device === undefined) continue
      if (names.has(device)) several.add(device)
      names.set(device, `${directory}/${name}`)
    }
  }
  for (const device of several) names.delete(device)
  return names
}

/** Only root can give files away, and only to a user that is there. */
async function serviceOwner(
  machine: Machine,
): Promise<{ readonly uid: number; readonly gid: number } | undefined> {
  if (machine.userId !== 0) return undefined
  const passwd = (await machine.readText('/etc/passwd')) ?? ''
  const [, uid, gid] = /^relay-agent:[^:]*:(\d+):(\d+):/m.exec(passwd) ?? []
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) }
}
