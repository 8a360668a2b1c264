import { dirname } from 'node:path'
import { type FileFacts, keyValues, type Machine, outputOf } from './machine.ts'

export const serviceName = 'relay-agent.service'
/** `EnvironmentFile` of the unit. */
const environmentFile = '/etc/default/relay-agent'
/** The user that the package makes. */
const packagedUser = 'relay-agent'

/** The user as whom the agent runs, or would run. */
export interface ServiceUser {
  readonly name: string
  readonly uid: number
  readonly gids: ReadonlySet<number>
  /** There is no service here: this is whoever runs the doctor. */
  readonly isStandIn: boolean
}

/** What systemd knows about the service, and as whom it runs. */
export interface ServiceFacts {
  /** Of `systemctl show`; undefined where there is no systemd to ask. */
  readonly properties: ReadonlyMap<string, string> | undefined
  /** Its variables as they are written, from the unit and from its file; may hold passwords. */
  readonly environment: string
  readonly user: ServiceUser
}

const properties = [
  'LoadState',
  'UnitFileState',
  'ActiveState',
  'SubState',
  'Result',
  'NRestarts',
  'StatusText',
  'WatchdogUSec',
  'NeedDaemonReload',
  'User',
  'SupplementaryGroups',
  'Environment',
  'LoadCredential',
  'MainPID',
  'ExecMainStatus',
  'ProtectHome',
  'PrivateTmp',
  'ProtectSystem',
  'ReadWritePaths',
  'StateDirectory',
] as const

export async function gatherService(machine: Machine): Promise<ServiceFacts> {
  const shown = outputOf(
    await machine.run('systemctl', ['show', serviceName, `--property=${properties.join(',')}`]),
  )
  const [passwd = '', group = '', variables = ''] = await Promise.all([
    machine.readText('/etc/passwd'),
    machine.readText('/etc/group'),
    machine.readText(environmentFile),
  ])
  const values = shown === undefined ? undefined : keyValues(shown)
  const environment = `${values?.get('Environment') ?? ''}\n${variables.replaceAll(/^\s*#.*$/gm, '')}`
  return {
    properties: values,
    environment,
    user: findUser({ properties: values, passwd, group, userId: machine.userId }),
  }
}

export interface UserSources {
  readonly properties: ReadonlyMap<string, string> | undefined
  readonly passwd: string
  readonly group: string
  readonly userId: number
}

/** The user of the unit, else that of the package, else whoever runs the doctor. Pure. */
export function findUser({ properties: known, passwd, group, userId }: UserSources): ServiceUser {
  const unitUser = known?.get('User')
  const users = passwd.split('\n').map((line) => line.split(':'))
  const wanted = unitUser === undefined || unitUser === '' ? packagedUser : unitUser
  const found = users.find(([name, , uid]) => name === wanted || uid === wanted)
  const fields = found ?? users.find(([, , uid]) => uid === String(userId)) ?? []
  const [name = String(userId), , uid = String(userId), gid = '-1'] = fields
  const extra = (known?.get('SupplementaryGroups') ?? '').split(/\s+/)
  const gids = new Set([Number(gid)])
  for (const line of group.split('\n')) {
    const [groupName = '', , groupId = '', members = ''] = line.split(':')
    if (groupName === '' || groupId === '') continue
    const isIn = members.split(',').includes(name) || (found !== undefined && extra.includes(groupName))
    if (isIn) gids.add(Number(groupId))
  }
  return { name, uid: Number(uid), gids, isStandIn: found === undefined }
}

/** What the permission bits say; lists of access (ACL) and the sandbox of the unit are not looked at. Pure. */
export function mayUse(file: FileFacts, user: ServiceUser, bits: number): boolean {
  if (user.uid === 0) return true
  const shift = file.uid === user.uid ? 6 : user.gids.has(file.gid) ? 3 : 0
  return ((file.mode >> shift) & bits) === bits
}

export const readBit = 4
export const readWriteBits = 6
const searchBit = 1

/** The first directory on the way to `path` that the user may not enter; undefined where the way is free. */
export async function closedDirectory(
  machine: Machine,
  path: string,
  user: ServiceUser,
): Promise<string | undefined> {
  const directories: string[] = []
  for (let at = dirname(path); ; at = dirname(at)) {
    directories.unshift(at)
    if (at === dirname(at)) break
  }
  for (const directory of directories) {
    const facts = await machine.stat(directory)
    if (facts === undefined) return undefined
    if (!mayUse(facts, user, searchBit)) return directory
  }
  return undefined
}

/**
 * Why the sandbox of the unit keeps the service from reading `path`, with what to do; undefined where it does not. Pure.
 */
export function hiddenBySandbox(path: string, known: ServiceFacts['properties']): string | undefined {
  if (known === undefined) return undefined
  const isHome = /^\/(?:home|root|run\/user)\//.test(path)
  if (isHome && /^(?:yes|tmpfs)$/.test(known.get('ProtectHome') ?? '')) return 'ProtectHome'
  const isTemporary = /^\/(?:tmp|var\/tmp)\//.test(path)
  return isTemporary && known.get('PrivateTmp') === 'yes' ? 'PrivateTmp' : undefined
}

/** The service may write below `path`, as far as the sandbox of the unit is asked. Pure. */
export function isWritableInSandbox(path: string, known: ServiceFacts['properties']): boolean {
  if (known?.get('ProtectSystem') !== 'strict') return true
  const words = (name: string): readonly string[] =>
    (known.get(name) ?? '').split(/\s+/).filter((word) => word !== '')
  const open = [
    ...words('ReadWritePaths').map((word) => word.replace(/^[-+]+/, '')),
    // Shown as "name" or "name:link".
    ...words('StateDirectory').map((word) => `/var/lib/${word.split(':')[0] ?? ''}`),
  ]
  return open.some((directory) => path === directory || path.startsWith(`${directory.replace(/\/+$/, '')}/`))
}

/** "the user relay-agent", or whose rights were looked at in its place. Pure. */
export function userPhrase({ name, isStandIn }: ServiceUser): string {
  return isStandIn ? `the user ${name} (there is no service user yet)` : `the user ${name}`
}
