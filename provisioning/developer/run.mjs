import { installDebianPackages } from './debian-packages.mjs'
import { runGate } from './gate.mjs'
import { installNpmPackages, nodeBinary } from './npm-packages.mjs'
import { CommandFailed, exitCodeOf } from './run-command.mjs'

const purposes = {
  start: (args) => exitCodeOf(nodeBinary(), ['test-rig/src/lab/main.ts', ...args]),
  test: (args) => runGate({ quick: false, args }),
  check: (args) => runGate({ quick: true, args }),
  bench: (args) => exitCodeOf(nodeBinary(), ['test-rig/bench/main.ts', ...args]),
  soak: (args) => exitCodeOf(nodeBinary(), ['test-rig/soak/main.ts', ...args]),
  package: (args) => exitCodeOf(nodeBinary(), ['systemd/debian/main.ts', ...args]),
  'package:single': (args) => exitCodeOf(nodeBinary(), ['systemd/single/main.ts', ...args]),
  'test:vm': (args) => exitCodeOf(nodeBinary(), ['test-rig/vm/main.ts', ...args]),
}

/**
 * `node run.mjs <purpose> [arguments]`: installs what is missing, then does it. Plain JavaScript, as it
 * runs before anything is installed, on any Node since 20.
 */
async function main([purpose = '', ...args]) {
  if (!Object.hasOwn(purposes, purpose)) {
    console.error(`set-up: "${purpose}" is not one of ${Object.keys(purposes).join(', ')}`)
    return 64
  }
  if (Number.parseInt(process.versions.node, 10) < 20) {
    console.error(`set-up: Node 20 or newer is needed and this is ${process.versions.node}`)
    return 69
  }
  try {
    await installNpmPackages()
    await installDebianPackages(purpose)
  } catch (error) {
    console.error(`set-up: ${error.message}`)
    return error instanceof CommandFailed ? error.exitCode : 69
  }
  return await purposes[purpose](args)
}

process.exitCode = await main(process.argv.slice(2))
