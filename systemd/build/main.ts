import { join } from 'node:path'
import { bundledPrograms, bundlePrograms } from './bundle-programs.ts'
import { collectPrebuilds } from './collect-prebuilds.ts'

// `npm run build`: everything that a Node 24 needs to run the programs from dist/.
const checkout = join(import.meta.dirname, '..', '..')
const directory = join(checkout, 'dist')
const ownCpu = process.arch === 'arm64' ? 'arm64' : 'x64'

for (const { name, bytes } of await bundlePrograms(bundledPrograms, { checkout, directory }))
  process.stdout.write(`dist/lib/${name}.mjs: ${Math.round(bytes / 1024)} KiB\n`)
for (const file of await collectPrebuilds({ checkout, directory, cpus: [ownCpu] }))
  process.stdout.write(`dist/${file}\n`)
