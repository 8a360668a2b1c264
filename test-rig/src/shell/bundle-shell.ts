import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { bundledPrograms, bundlePrograms } from '../../../systemd/build/bundle-programs.ts'

/** Names the folder with the bundles, for the workers in which the tests run. */
export const bundlesVariable = 'SHELL_BUNDLES'

const checkout = join(import.meta.dirname, '..', '..', '..')
const wanted = new Set(['shell', 'jump'])

/**
 * Builds the programs of the shell as they are shipped, once for all tests of the project `shell`, which start some three
 * hundred of them: a bundle is there in a fifth of the time that the sources take. Returns what removes them.
 */
export async function setup(): Promise<() => Promise<void>> {
  const parent = join(checkout, 'test-output')
  await mkdir(parent, { recursive: true })
  const directory = await mkdtemp(join(parent, 'shell-'))
  await bundlePrograms(
    bundledPrograms.filter(({ name }) => wanted.has(name)),
    { checkout, directory },
  )
  process.env[bundlesVariable] = directory
  return async () => {
    await rm(directory, { recursive: true, force: true })
  }
}
