import { join } from 'node:path'
import { build } from 'esbuild'
import { builtinsByRequire } from './builtins-by-require.ts'

/** A program in its shipped form, which any Node 24 runs. */
export interface BundledProgram {
  /** `lib/<name>.mjs` below the output directory. */
  readonly name: string
  /** Its entry, from the root of the checkout. */
  readonly entry: string
}

export interface Bundles {
  /** From the output directory, in order, maps included; the programs have their names. */
  readonly files: readonly string[]
  /** Folders, from the root of the checkout, of the libraries inside. */
  readonly libraries: readonly string[]
}

/** Every program. `relay-host` is `relay host` of the later generation: the agent's local API with its words. */
export const bundledPrograms: readonly BundledProgram[] = [
  { name: 'relay', entry: 'relay/src/main.ts' },
  { name: 'session', entry: 'relay/src/session-main.ts' },
  { name: 'shell', entry: 'shell/src/main.ts' },
  { name: 'jump', entry: 'shell/src/jump-main.ts' },
  { name: 'relay-agent', entry: 'agent/src/main.ts' },
  { name: 'relay-host', entry: 'agent/src/relay-host-main.ts' },
]

/** CommonJS packages inside an ES module ask for `require`. */
const banner = [
  "import { createRequire as bundleRequireOf } from 'node:module';",
  'const require = bundleRequireOf(import.meta.url);',
].join(' ')

/**
 * Writes `<directory>/lib/<name>.mjs` for every program, and beside it the parts that are loaded when they are needed
 * (one that a program does without costs it no memory), each with its map. Blanks and comments are left out, as V8 keeps
 * the whole text. Names and short lines stay, for stack traces.
 *
 * Native add-ons are not bundled: those who load them look for `../prebuilds/linux-<cpu>/` from the bundle, which is why
 * bundles lie in a folder of their own. The same sources give the same bytes wherever the checkout lies: maps name sources
 * by relative paths and do not hold them.
 */
export async function bundlePrograms(
  programs: readonly BundledProgram[],
  { checkout, directory }: { readonly checkout: string; readonly directory: string },
): Promise<Bundles> {
  const { metafile } = await build({
    absWorkingDir: checkout,
    entryPoints: programs.map(({ name, entry }) => ({ in: entry, out: name })),
    outdir: join(directory, 'lib'),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 160,
    sourcemap: 'linked',
    sourcesContent: false,
    // All licences stand in the copyright file of the package.
    legalComments: 'none',
    metafile: true,
    external: ['*.node'],
    plugins: [builtinsByRequire],
    banner: { js: banner },
    define: { __dirname: 'import.meta.dirname' },
    logLevel: 'warning',
  })
  const files = Object.keys(metafile.outputs).map((path) =>
    join('lib', path.slice(path.lastIndexOf('/') + 1)),
  )
  return { files: files.toSorted(), libraries: librariesOf(Object.keys(metafile.inputs)) }
}

/** The folders of npm packages among the files of a bundle, in order. Pure. */
export function librariesOf(files: readonly string[]): readonly string[] {
  const folders = files.flatMap((file) => {
    const [folder] = /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file) ?? []
    return folder === undefined ? [] : [folder]
  })
  return [...new Set(folders)].toSorted()
}
