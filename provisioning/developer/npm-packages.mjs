import { createHash } from 'node:crypto'
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkout, run } from './run-command.mjs'

const stamp = join(checkout, 'node_modules', '.relay-installed')
const pinnedNode = join(checkout, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node')

/** Runs `npm ci` unless `node_modules` already holds exactly what the lockfile and this machine ask for. */
export async function installNpmPackages() {
  const wanted = fingerprint()
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  console.log('set-up: installing the npm packages of package-lock.json (npm ci, about half a minute)')
  const npm = process.env.npm_execpath
  const [command, ...args] = npm === undefined ? ['npm', 'ci'] : [process.execPath, npm, 'ci']
  // The child must not take over settings that npm put into our environment for the script that runs now.
  await run(command, [...args, '--loglevel=error'], { what: 'npm ci' })
  linkNode()
  writeFileSync(stamp, wanted)
}

/** The Node that runs everything else: the pinned one of `node_modules`, else this one, which is new enough then. */
export function nodeBinary() {
  return existsSync(pinnedNode) ? pinnedNode : process.execPath
}

/**
 * Puts the pinned Node first in the PATH of scripts. npm 9 (Debian 13) takes the link away again together with that of
 * the package for the other CPU; newer ones leave it.
 */
function linkNode() {
  if (!existsSync(pinnedNode)) {
    if (Number.parseInt(process.versions.node, 10) >= 24) return
    throw new Error(
      `there is no Node 24 for ${process.platform}-${process.arch} among the packages; install Node 24 and try again`,
    )
  }
  const link = join(checkout, 'node_modules', '.bin', 'node')
  if (!existsSync(link)) symlinkSync(pinnedNode, link)
}

function fingerprint() {
  const hash = createHash('sha256')
  for (const file of ['package-lock.json', '.npmrc']) hash.update(readFileSync(join(checkout, file)))
  return hash.update(`${process.platform}-${process.arch}`).digest('hex')
}
