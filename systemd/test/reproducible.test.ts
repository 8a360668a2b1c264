import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { runCommand } from './container/run-command.ts'

const checkout = join(import.meta.dirname, '../..')
const dist = join(checkout, 'dist')
mkdirSync(dist, { recursive: true })
// On the same disk as node_modules, whose files are linked and not copied.
const work = mkdtempSync(join(dist, 'reproducible-'))
afterAll(() => rmSync(work, { recursive: true, force: true }))

/** Taken once: somebody may commit meanwhile. */
const commit = execFileSync('git', ['-c', 'safe.directory=*', 'rev-parse', 'HEAD'], {
  cwd: checkout,
  encoding: 'utf8',
}).trim()

/** Clones the commit into a folder and makes the package there; gives its hash by its name. */
async function madeIn(folder: string, umask: string): Promise<Readonly<Record<string, string>>> {
  const copy = join(work, folder)
  const script = [
    'set -e',
    `umask ${umask}`,
    `git -c safe.directory='*' clone -q ${checkout} ${copy}`,
    `git -C ${copy} checkout -q --detach ${commit}`,
    // Without caches: in them files of other runs come and go, and what is kept there would hide a difference.
    `mkdir ${copy}/node_modules`,
    `cd ${checkout}/node_modules`,
    `find . -mindepth 1 -maxdepth 1 ! -name .cache ! -name '.vite*' -exec cp -al -t ${copy}/node_modules {} +`,
    `cd ${copy}`,
    `${process.execPath} systemd/debian/main.ts --architecture amd64 --only relay-agent`,
  ].join('\n')
  const { code, stderr } = await runCommand('sh', ['-c', script], { withinMs: 240_000 })
  if (code !== 0) throw new Error(`the package could not be made: ${stderr}`)
  const packages = join(copy, 'dist/packages')
  const hashes = readdirSync(packages).map(
    (name) =>
      [
        name,
        createHash('sha256')
          .update(readFileSync(join(packages, name)))
          .digest('hex'),
      ] as const,
  )
  return Object.fromEntries(hashes)
}

test('the same commit gives the same bytes, in whatever folder and with whatever umask it is made', async () => {
  const first = await madeIn('first', '022')
  const second = await madeIn('a-folder-with-a-longer-name', '077')

  expect(Object.keys(first)).toHaveLength(1)
  expect(second).toEqual(first)
}, 500_000)
