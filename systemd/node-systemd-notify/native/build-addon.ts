import { execFile } from 'node:child_process'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** As Node names them (`process.arch`). */
export type AddonArchitecture = 'arm64' | 'x64'

export interface BuildAddonOptions {
  readonly architecture: AddonArchitecture
  /** Where `linux-<architecture>/notify.node` comes to lie. */
  readonly directory: string
  /** The folder of `node_api.h`. */
  readonly headers: string
}

const compilers = { x64: 'x86_64-linux-gnu-gcc', arm64: 'aarch64-linux-gnu-gcc' } as const
const compileWithinMs = 60_000

/** The same source gives the same bytes wherever the checkout lies. No debug symbols, and no address of a build. */
const flags = [
  '-shared',
  '-fPIC',
  '-O2',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-fvisibility=hidden',
  '-fstack-protector-strong',
  '-D_FORTIFY_SOURCE=2',
  '-Wl,-z,relro,-z,now,--build-id=none',
  '-s',
]

/**
 * Compiles the add-on with Debian's gcc, and gives its file. Another build at the same time is harmless.
 * @throws what the compiler says.
 */
export async function buildAddon({ architecture, directory, headers }: BuildAddonOptions): Promise<string> {
  const folder = join(directory, `linux-${architecture}`)
  const file = join(folder, 'notify.node')
  const unfinished = join(folder, `notify.${process.pid}.${performance.now()}.tmp`)
  await mkdir(folder, { recursive: true })
  try {
    // In its own folder, so that no path of this machine stands in the result.
    await promisify(execFile)(
      compilers[architecture],
      [...flags, '-isystem', headers, '-o', unfinished, 'notify.c'],
      { cwd: import.meta.dirname, timeout: compileWithinMs },
    )
    await rename(unfinished, file)
  } finally {
    await rm(unfinished, { force: true })
  }
  return file
}
