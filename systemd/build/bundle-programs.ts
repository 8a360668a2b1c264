import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'

/** A program in its shipped form: one file with its source map beside it, which any Node 24 runs. */
export interface BundledProgram {
  /** `lib/<name>.mjs` below the output directory. */
  readonly name: string
  /** Its entry, from the root of the checkout. */
  readonly entry: string
}

export interface Bundle {
  readonly name: string
  readonly bytes: number
  /** Folders, from the root of the checkout, of the libraries that went into it. */
  readonly libraries: readonly string[]
}

/** Every program. `relay-host` is `relay host` of the later generation: the agent's local API with its words. */
export const bundledPrograms: readonly BundledProgram[] = [
  { name: 'relay', entry: 'relay/src/main.ts' },
  { name: 'session', entry: 'relay/src/session-main.ts' },
  { name: 'relay-agent', entry: 'agent/src/main.ts' },
  { name: 'relay-host', entry: 'agent/src/relay-host-main.ts' },
]

/**
 * CommonJS packages inside an ES module ask for `require` and `__dirname`. Native add-ons are not bundled: those who
 * load them look for `../prebuilds/linux-<cpu>/` from the bundle, which is why bundles live in a folder of their own.
 */
const banner = [
  "import { createRequire as requireOf } from 'node:module';",
  'const require = requireOf(import.meta.url);',
  'const __dirname = import.meta.dirname;',
].join(' ')

/**
 * Writes `<directory>/lib/<name>.mjs` and its map for every program. The same sources give the same bytes wherever
 * the checkout lies: maps name sources by relative paths and do not hold them.
 */
export async function bundlePrograms(
  programs: readonly BundledProgram[],
  { checkout, directory }: { readonly checkout: string; readonly directory: string },
): Promise<readonly Bundle[]> {
  await mkdir(join(directory, 'lib'), { recursive: true })
  return await Promise.all(programs.map((program) => bundle(program, checkout, directory)))
}

async function bundle({ name, entry }: BundledProgram, checkout: string, directory: string): Promise<Bundle> {
  const { metafile } = await build({
    absWorkingDir: checkout,
    entryPoints: [entry],
    outfile: join(directory, 'lib', `${name}.mjs`),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    sourcemap: 'linked',
    sourcesContent: false,
    // All licences stand in the copyright file of the package.
    legalComments: 'none',
    metafile: true,
    external: ['*.node'],
    banner: { js: banner },
    logLevel: 'warning',
  })
  const output = Object.entries(metafile.outputs).find(([path]) => path.endsWith('.mjs'))?.[1]
  return { name, bytes: output?.bytes ?? 0, libraries: librariesOf(Object.keys(metafile.inputs)) }
}

/** The folders of npm packages among the files of a bundle, in order. Pure. */
export function librariesOf(files: readonly string[]): readonly string[] {
  const folders = files.flatMap((file) => {
    const [folder] = /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file) ?? []
    return folder === undefined ? [] : [folder]
  })
  return [...new Set(folders)].toSorted()
}
