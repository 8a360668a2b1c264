import { stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { buildSingle, singlePrograms } from './build-single.ts'

// `npm run package:single`: programs of one file, for trying something on a bench where nothing may be installed.
const checkout = join(import.meta.dirname, '..', '..')
const startedAtMs = performance.now()

const files = await buildSingle({
  checkout,
  directory: join(checkout, 'dist', 'single'),
  programs: singlePrograms,
  cpus: ['x64', 'arm64'],
})
for (const file of files) {
  const mib = ((await stat(file)).size / 1024 / 1024).toFixed(1)
  process.stdout.write(`${relative(checkout, file)}: ${mib} MiB\n`)
}
process.stdout.write(`single: made in ${((performance.now() - startedAtMs) / 1000).toFixed(1)} s\n`)
