import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const neededMajor = 24

/**
 * Runs a program of this checkout on a Node that strips types: in this very process when it is new enough, else in a
 * child that runs the pinned Node of `node_modules`. Plain JavaScript on purpose: it must parse on any Node since 18.
 *
 * @param {string} entryUrl `file:` URL of a TypeScript file which runs the program when it is imported.
 */
export async function launch(entryUrl) {
  if (Number.parseInt(process.versions.node, 10) >= neededMajor) {
    await import(entryUrl)
    return
  }
  const node = pinnedNode(entryUrl)
  if (node === undefined) {
    process.stderr.write(
      `Node ${neededMajor} is needed and this is ${process.versions.node}; run "npm ci" in the checkout, it brings its own\n`,
    )
    process.exit(69)
  }
  const child = spawn(node, [fileURLToPath(entryUrl), ...process.argv.slice(2)], {
    // Nothing is said over the channel: its end tells the program that this process was killed.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    process.stderr.write(`cannot run ${node}: ${error.message}\n`)
    process.exit(70)
  })
  child.on('exit', (code, signal) => {
    process.exit(signal === null ? (code ?? 70) : 128 + (constants.signals[signal] ?? 0))
  })
}

/** The pinned Node binary for this CPU, looked up from the program upwards; undefined when it is not installed. */
function pinnedNode(entryUrl) {
  const name = `node-linux-${process.arch}`
  try {
    const manifest = createRequire(entryUrl).resolve(`${name}/package.json`)
    const node = join(dirname(manifest), 'bin', 'node')
    return existsSync(node) ? node : undefined
  } catch {
    return undefined
  }
}
