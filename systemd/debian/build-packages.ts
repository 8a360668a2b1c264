import { chmod, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { bundledPrograms, bundlePrograms } from '../build/bundle-programs.ts'
import { collectPrebuilds } from '../build/collect-prebuilds.ts'
import { pinnedNode } from '../build/pinned-node.ts'
import { controlFile } from './control-file.ts'
import { writeDeb } from './deb-file.ts'
import { cpuOf, type DebianArchitecture, type PackageDefinition } from './package-definition.ts'
import { PackageTree } from './package-tree.ts'
import type { PackageVersion } from './package-version.ts'
import { addPapers } from './papers.ts'
import { addSystemFiles, type SystemFiles } from './system-files.ts'

export interface BuildOptions {
  readonly checkout: string
  /** Where the packages come to lie. */
  readonly directory: string
  readonly version: PackageVersion
  readonly definitions: readonly PackageDefinition[]
  readonly architectures: readonly DebianArchitecture[]
  /** Of xz: 0 is quick, 6 makes them a fifth smaller in ten times the time. */
  readonly compression: number
}

/** Makes every package for every architecture, and gives their files in order. What is unfinished leaves nothing. */
export async function buildPackages(options: BuildOptions): Promise<readonly string[]> {
  await mkdir(options.directory, { recursive: true })
  const work = await mkdtemp(join(options.directory, '.work-'))
  try {
    const pairs = options.definitions.flatMap((definition) =>
      options.architectures.map((architecture) => ({ definition, architecture })),
    )
    const files: string[] = []
    // One after the other: the second package of a processor finds its Node compressed.
    for (const { definition, architecture } of pairs) {
      const { name } = definition
      const tree = await makeTree(options, { definition, architecture, work })
      const file = `${name}_${options.version.version}_${architecture}.deb`
      files.push(await pack(tree, options, { name, file }))
      await rm(tree.root, { recursive: true, force: true })
    }
    return files
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function makeTree(
  { checkout, version }: BuildOptions,
  {
    definition,
    architecture,
    work,
  }: {
    readonly definition: PackageDefinition
    readonly architecture: DebianArchitecture
    readonly work: string
  },
): Promise<PackageTree> {
  const { name } = definition
  const root = join(work, `${name}-${architecture}`)
  const tree = new PackageTree(root, { modifiedAtSeconds: version.sourceDateEpoch })
  await mkdir(root, { mode: 0o755 })
  const home = `usr/lib/${name}`
  const cpu = cpuOf[architecture]
  const node = await pinnedNode(cpu, checkout)
  await tree.copy(`${home}/bin/node`, node.binary, 0o755)

  // Beside the tree, and copied: what compilers write has modes of its own.
  const built = join(work, `built-${name}-${architecture}`)
  const programs = bundledPrograms.filter((program) => definition.bundles.includes(program.name))
  const bundles = await bundlePrograms(programs, { checkout, directory: built })
  for (const file of bundles.files) await tree.copy(`${home}/${file}`, join(built, file))
  const serial = definition.hasSerialPorts
  for (const file of await collectPrebuilds({ checkout, directory: built, cpus: [cpu], serial }))
    await tree.copy(`${home}/${file}`, join(built, file))

  const own = join(import.meta.dirname, name)
  for (const program of definition.programs)
    await tree.copy(`usr/bin/${program.name}`, join(own, 'bin', program.name), 0o755)
  await tree.copy(`usr/share/lintian/overrides/${name}`, join(own, 'lintian-overrides'))
  const system = await addSystemFiles(tree, { definition, source: join(checkout, 'systemd') })
  const { libraries } = bundles
  await addPapers(tree, { definition, checkout, version, libraries, nodeLicence: node.licence })
  for (const script of ['postinst', 'prerm', 'postrm']) {
    const text = await readFile(join(own, script), 'utf8')
    await tree.write(`DEBIAN/${script}`, filledIn(text, system), 0o755)
  }
  await tree.writeChecksums()
  const installedKib = await tree.installedKib()
  await tree.write(
    'DEBIAN/control',
    controlFile(definition, { version: version.version, architecture, installedKib }),
  )
  await tree.setTimes()
  return tree
}

/** Puts the names of the package's files into a maintainer script. Pure. */
export function filledIn(script: string, files: SystemFiles): string {
  const values: Readonly<Record<string, readonly string[]>> = {
    UNITS: files.units,
    ENABLED_UNITS: files.enabledUnits,
    SYSUSERS: files.sysusers,
    TMPFILES: files.tmpfiles,
  }
  return script.replaceAll(/@([A-Z_]+)@/g, (_all, name: string) => {
    const value = values[name]
    if (value === undefined) throw new Error(`nothing is known for @${name}@ of a maintainer script`)
    return value.join(' ')
  })
}

async function pack(
  tree: PackageTree,
  { checkout, directory, version, compression }: BuildOptions,
  { name, file }: { readonly name: string; readonly file: string },
): Promise<string> {
  const unfinished = `${tree.root}.deb`
  await writeDeb({
    root: tree.root,
    file: unfinished,
    modifiedAtSeconds: version.sourceDateEpoch,
    compression,
    large: `usr/lib/${name}/bin/node`,
    cache: join(checkout, 'node_modules', '.cache', 'relay', 'compressed'),
  })
  await chmod(unfinished, 0o644)
  await rename(unfinished, join(directory, file))
  return join(directory, file)
}
