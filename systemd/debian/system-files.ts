import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { PackageDefinition } from './package-definition.ts'
import type { PackageTree } from './package-tree.ts'

/**
 * Folders of `systemd/`, and where their files go. All below /usr/lib: that is where systemd 245 to 257 looks first, and
 * where Debian 13 wants them; on older releases /lib is a link to it.
 */
const places: readonly (readonly [folder: string, target: string])[] = [
  ['units', 'usr/lib/systemd/system'],
  ['sysusers.d', 'usr/lib/sysusers.d'],
  ['tmpfiles.d', 'usr/lib/tmpfiles.d'],
  ['udev', 'usr/lib/udev/rules.d'],
  ['journald', 'usr/lib/systemd/journald.conf.d'],
  ['watchdog', 'usr/lib/systemd/system.conf.d'],
  ['modules-load.d', 'usr/lib/modules-load.d'],
]

/** What the maintainer scripts have to know of the files of a package. */
export interface SystemFiles {
  /** Names of all units but templates and drop-ins. */
  readonly units: readonly string[]
  /** Those with an [Install] section; sockets come before what they start. */
  readonly enabledUnits: readonly string[]
  readonly sysusers: readonly string[]
  readonly tmpfiles: readonly string[]
}

/** Copies units and what belongs to them into a package. */
export async function addSystemFiles(
  tree: PackageTree,
  { definition, source }: { readonly definition: PackageDefinition; readonly source: string },
): Promise<SystemFiles> {
  const added = new Map<string, string[]>()
  const enabledUnits: string[] = []
  const examples = ['examples', `usr/share/doc/${definition.name}/examples`] as const
  for (const [folder, target] of [...places, examples]) {
    if (!existsSync(join(source, folder))) continue
    const entries = await readdir(join(source, folder), { recursive: true, withFileTypes: true })
    const files = entries
      .filter((entry) => entry.isFile() && !/\.(?:md|ts)$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name).slice(join(source, folder).length + 1))
      .filter((file) => definition.owns(file))
      .toSorted()
    for (const file of files) {
      const content = await readFile(join(source, folder, file), 'utf8')
      await tree.write(join(target, file), content)
      if (folder === 'units' && !file.includes('/') && /^\[Install\]$/m.test(content)) enabledUnits.push(file)
    }
    added.set(folder, files)
  }
  const namesOf = (folder: string): readonly string[] => added.get(folder) ?? []
  return {
    units: startOrder(namesOf('units').filter((file) => !file.includes('/'))),
    enabledUnits: startOrder(enabledUnits),
    sysusers: namesOf('sysusers.d').map((file) => basename(file)),
    tmpfiles: namesOf('tmpfiles.d').map((file) => basename(file)),
  }
}

/** Sockets first: a service that is started before its socket takes the port for itself. */
function startOrder(units: readonly string[]): readonly string[] {
  const rank = (unit: string): number => (unit.endsWith('.socket') ? 0 : 1)
  return units.filter((unit) => !/@\.\w+$/.test(unit)).toSorted((a, b) => rank(a) - rank(b))
}
