import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkout, run } from './run-command.mjs'

const stamp = join(checkout, 'node_modules', '.relay-installed')

/** Runs `npm ci` unless `node_modules` already holds exactly what the lockfile and this machine ask for. */
export async function installNpmPackages() {
  const wanted = fingerprint()
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  console.log('set-up: installing the npm packages of package-lock.json (npm ci, about half a minute)')
  const npm = process.env.npm_execpath
  const [command, ...args] = npm === undefined ? ['npm', 'ci'] : [process.execPath, npm, 'ci']
  // The child must not take over settings that npm put into our environment for the script that runs now.
  await run(command, [...args, '--loglevel=error'], { what: 'npm ci' })
  if (!existsSync(join(checkout, 'node_modules', '.bin', 'node')) && majorVersion() < 24) {
    throw new Error(
      `there is no Node 24 for ${process.platform}-${process.arch} among the packages; install Node 24 and try again`,
    )
  }
  writeFileSync(stamp, wanted)
}

/** The Node that runs everything else: the pinned one of `node_modules`, else this one when it is new enough. */
export function nodeBinary() {
  const pinned = join(checkout, 'node_modules', '.bin', 'node')
  return existsSync(pinned) ? pinned : process.execPath
}

function majorVersion() {
  return Number.parseInt(process.versions.node, 10)
}

function fingerprint() {
  const hash = createHash('sha256')
  for (const file of ['package-lock.json', '.npmrc']) hash.update(readFileSync(join(checkout, file)))
  return hash.update(`${process.platform}-${process.arch}`).digest('hex')
}
