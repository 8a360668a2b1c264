import { join } from 'node:path'
import { type AddonArchitecture, buildAddon } from './build-addon.ts'

/** `node native/main.ts [x64] [arm64]`: builds the add-on into `prebuilds/`, for this machine where nothing is said. */
const known: readonly string[] = ['arm64', 'x64']
const asked = process.argv.slice(2)
const wrong = asked.find((name) => !known.includes(name))
if (wrong !== undefined) {
  process.stderr.write(`"${wrong}" is not one of ${known.join(', ')}\n`)
  process.exit(64)
}
const root = join(import.meta.dirname, '..')
const architectures = (asked.length === 0 ? [process.arch] : asked) as readonly AddonArchitecture[]
const files = await Promise.all(
  architectures.map((architecture) =>
    buildAddon({
      architecture,
      directory: join(root, 'prebuilds'),
      headers: join(root, `../../node_modules/node-linux-${process.arch}/include/node`),
    }),
  ),
)
for (const file of files) process.stdout.write(`${file}\n`)
