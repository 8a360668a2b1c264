import { readdir, rm, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { agentPackage } from './agent-package.ts'
import { buildPackages } from './build-packages.ts'
import type { DebianArchitecture } from './package-definition.ts'
import { packageVersion } from './package-version.ts'
import { serverPackage } from './server-package.ts'

const usage = `npm run package -- [--architecture amd64|arm64] [--only relay-agent|relay-server] [--release]
                   [--version <version>] [--directory <folder>]

Makes the Debian packages in dist/packages. --release compresses better, and takes minutes.
`
const checkout = join(import.meta.dirname, '..', '..')
const known = { relay: [agentPackage, serverPackage], architectures: ['amd64', 'arm64'] as const }

process.exitCode = await main(process.argv.slice(2))

async function main(argv: readonly string[]): Promise<number> {
  let given: ReturnType<typeof argumentsOf>
  try {
    given = argumentsOf(argv)
  } catch (error) {
    process.stderr.write(`package: ${error instanceof Error ? error.message : String(error)}\n${usage}`)
    return 64
  }
  const startedAtMs = performance.now()
  const { directory } = given
  const isStandard = relative(join(checkout, 'dist', 'packages'), directory) === ''
  const files = await buildPackages({ checkout, ...given })
  // One version at a time: tests and people take whatever lies there.
  if (isStandard) await removeOthers(directory, files)
  for (const file of files) {
    const mib = ((await stat(file)).size / 1024 / 1024).toFixed(1)
    process.stdout.write(`${relative(checkout, file)}: ${mib} MiB\n`)
  }
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1)
  process.stdout.write(`packages: ${files.length} made in ${seconds} s\n`)
  return 0
}

function argumentsOf(argv: readonly string[]) {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      architecture: { type: 'string', multiple: true },
      only: { type: 'string', multiple: true },
      release: { type: 'boolean', default: false },
      version: { type: 'string' },
      directory: { type: 'string', default: join(checkout, 'dist', 'packages') },
    },
  })
  const { version, sourceDateEpoch } = packageVersion(checkout)
  if (values.version !== undefined && !/^\d[A-Za-z0-9.+~]*$/.test(values.version))
    throw new Error(`"${values.version}" is no version for a Debian package; 1.2.3 and 1.2.3~rc1 are`)
  return {
    directory: values.directory,
    version: { version: values.version ?? version, sourceDateEpoch },
    definitions: chosen(known.relay, values.only, (definition) => definition.name),
    architectures: chosen<DebianArchitecture>(known.architectures, values.architecture, (name) => name),
    compression: values.release ? 6 : 0,
  }
}

function chosen<T>(
  all: readonly T[],
  wanted: readonly string[] | undefined,
  nameOf: (item: T) => string,
): readonly T[] {
  const unknown = wanted?.find((name) => !all.some((item) => nameOf(item) === name))
  if (unknown !== undefined) throw new Error(`"${unknown}" is not one of ${all.map(nameOf).join(', ')}`)
  return wanted === undefined ? all : all.filter((item) => wanted.includes(nameOf(item)))
}

async function removeOthers(directory: string, kept: readonly string[]): Promise<void> {
  for (const name of await readdir(directory)) {
    const file = join(directory, name)
    if (name.endsWith('.deb') && !kept.includes(file)) await rm(file, { force: true })
  }
}
