import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { bundledPrograms, bundlePrograms } from './bundle-programs.ts'
import { collectPrebuilds } from './collect-prebuilds.ts'

// `npm run build`: everything that a Node 24 needs to run the programs from dist/.
const checkout = join(import.meta.dirname, '..', '..')
const directory = join(checkout, 'dist')
const ownCpu = process.arch === 'arm64' ? 'arm64' : 'x64'

// Nothing of an earlier build stays.
await rm(join(directory, 'lib'), { recursive: true, force: true })
const { files } = await bundlePrograms(bundledPrograms, { checkout, directory })
for (const file of files) process.stdout.write(`dist/${file}\n`)
for (const file of await collectPrebuilds({ checkout, directory, cpus: [ownCpu] }))
  process.stdout.write(`dist/${file}\n`)
