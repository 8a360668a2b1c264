import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { bakeImage } from './bake-image.ts'
import { imageCache } from './image-cache.ts'

/**
 * `npm run test:vm`: installs the package in a whole machine with a kernel of its own, where USB devices come and go
 * and memory limits hold. Bakes the machine's image the first time. Arguments go to vitest.
 */
async function main(args: readonly string[]): Promise<number> {
  if (process.getuid?.() !== 0) {
    console.log('skipped: making the image of the machine needs root; run "sudo npm run test:vm"')
    return 0
  }
  const startedAtMs = performance.now()
  await bakeImage({ cache: imageCache, tell: (line) => console.log(line) })
  const root = join(import.meta.dirname, '..', '..')
  const steps = [
    [join(root, 'systemd', 'debian', 'main.ts')],
    [
      join(root, 'node_modules', 'vitest', 'vitest.mjs'),
      'run',
      '--config',
      join(import.meta.dirname, 'vitest.config.ts'),
      ...args,
    ],
  ]
  for (const step of steps) {
    const child = spawn(process.execPath, step, { cwd: root, stdio: 'inherit' })
    const [code] = (await once(child, 'exit')) as [number | null]
    if (code !== 0) return code ?? 1
  }
  console.log(`done in ${Math.round((performance.now() - startedAtMs) / 1000)} s`)
  return 0
}

process.exitCode = await main(process.argv.slice(2))
