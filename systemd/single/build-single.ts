import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { type Cpu, collectPrebuilds } from '../build/collect-prebuilds.ts'
import { nodeVersion, pinnedNode } from '../build/pinned-node.ts'

/** A program that is shipped as one file too. */
export interface SingleProgram {
  readonly name: string
  /** Its entry, from the root of the checkout. */
  readonly entry: string
  readonly hasSerialPorts: boolean
}

export const singlePrograms: readonly SingleProgram[] = [
  { name: 'relay-agent', entry: 'systemd/single/start-agent.ts', hasSerialPorts: true },
  { name: 'relay', entry: 'systemd/single/start-relay.ts', hasSerialPorts: false },
  { name: 'shell', entry: 'systemd/single/start-shell.ts', hasSerialPorts: false },
  { name: 'jump', entry: 'systemd/single/start-jump.ts', hasSerialPorts: false },
]

export interface SingleOptions {
  readonly checkout: string
  /** Where `<program>-linux-<cpu>` comes to lie. */
  readonly directory: string
  readonly programs: readonly SingleProgram[]
  readonly cpus: readonly Cpu[]
}

const packWithinMs = 300_000

/**
 * Makes programs of one file each with pkg, in its mode that puts an archive into an unchanged Node. Asks no network: the
 * cache in which pkg looks for Node is filled with the pinned one first. Gives the files.
 */
export async function buildSingle(options: SingleOptions): Promise<readonly string[]> {
  await mkdir(options.directory, { recursive: true })
  const work = await mkdtemp(join(options.directory, '.work-'))
  const files: string[] = []
  try {
    for (const cpu of options.cpus) await fillCache(work, cpu, options.checkout)
    // One after the other: each holds the whole program in memory several times.
    for (const program of options.programs)
      for (const cpu of options.cpus) files.push(await pack(program, cpu, work, options))
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  return files
}

/**
 * What a download by pkg would leave: an archive, the binary taken out of it, and behind each a mark that it is whole. The
 * archive is never read then.
 */
async function fillCache(home: string, cpu: Cpu, checkout: string): Promise<void> {
  const { binary } = await pinnedNode(cpu, checkout)
  const cache = join(home, '.pkg-cache', 'sea')
  const name = `node-v${nodeVersion}-linux-${cpu}`
  await mkdir(join(cache, name, 'bin'), { recursive: true })
  await symlink(binary, join(cache, name, 'bin', 'node'))
  for (const file of [`${name}.tar.gz`, `${name}.tar.gz.ok`, `${name}/bin/node.ok`])
    await writeFile(join(cache, file), '')
}

async function pack(
  { name, entry, hasSerialPorts }: SingleProgram,
  cpu: Cpu,
  work: string,
  { checkout, directory }: SingleOptions,
): Promise<string> {
  const project = join(work, `${name}-${cpu}`)
  await mkdir(project)
  await build({
    absWorkingDir: checkout,
    entryPoints: [entry],
    outfile: join(project, 'lib', 'program.cjs'),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    legalComments: 'none',
    external: ['*.node'],
    // A script has no import.meta; what modules ask it for is there under other names.
    define: { 'import.meta.dirname': '__dirname', 'import.meta.url': 'moduleUrl' },
    banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
    logLevel: 'warning',
  })
  await collectPrebuilds({ checkout, directory: project, cpus: [cpu], serial: hasSerialPorts })
  const manifest = { name, bin: 'lib/program.cjs', pkg: { assets: ['prebuilds/**/*'] } }
  await writeFile(join(project, 'package.json'), JSON.stringify(manifest))
  const unfinished = join(work, `${name}-linux-${cpu}`)
  await promisify(execFile)(
    process.execPath,
    [
      join(checkout, 'node_modules/@yao-pkg/pkg/lib-es5/bin.js'),
      '--sea',
      // With all three numbers of the version it need not ask which one is meant.
      `--targets=node${nodeVersion}-linux-${cpu}`,
      `--output=${unfinished}`,
      project,
    ],
    { cwd: project, timeout: packWithinMs, env: { ...process.env, HOME: work } },
  )
  await chmod(unfinished, 0o755)
  const file = join(directory, `${name}-linux-${cpu}`)
  await rename(unfinished, file)
  return file
}
