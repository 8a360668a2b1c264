import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { runQuietly } from './run-command.mjs'

/**
 * What is needed from the distribution, per purpose: how to see that it is there, and the package that brings it.
 * Versions are those of Debian 12, Debian 13, Ubuntu 22.04 or 24.04, whichever the machine runs.
 */
const forStart = [
  { package: 'ffmpeg', present: () => onPath('ffmpeg') },
  { package: 'socat', present: () => onPath('socat') },
  {
    package: 'fonts-dejavu-core',
    present: () => existsSync('/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf'),
  },
]
const compiler = [
  { package: 'gcc', present: () => onPath('gcc') },
  { package: 'libc6-dev', present: () => existsSync('/usr/include/stdio.h') },
]
const forTest = [
  ...forStart,
  {
    package: isUbuntu() ? 'chromium-browser' : 'chromium',
    present: () => ['chromium', 'chromium-browser'].some(onPath),
  },
  { package: 'curl', present: () => onPath('curl') },
  { package: 'procps', present: () => onPath('ps') },
  ...compiler,
]
const needs = { start: forStart, test: forTest, check: [], bench: [...forStart, ...compiler] }

/** Installs with apt what `purpose` (`start`, `test`, `check` or `bench`) needs and the machine lacks. */
export async function installDebianPackages(purpose) {
  const missing = needs[purpose].filter((need) => !need.present()).map((need) => need.package)
  if (missing.length === 0) return
  if (!onPath('apt-get')) {
    throw new Error(`this machine has no apt-get; please install: ${missing.join(', ')}`)
  }
  console.log(`set-up: installing the Debian packages ${missing.join(', ')} (apt-get, up to a few minutes)`)
  const install = ['install', '-y', '--no-install-recommends', ...missing]
  await apt(['update'], install)
  await apt(install, install)
  const still = needs[purpose].filter((need) => !need.present()).map((need) => need.package)
  if (still.length > 0)
    throw new Error(`apt-get installed ${still.join(', ')}, and what it should bring is still missing`)
}

async function apt(args, install) {
  const options = ['-q', '-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3']
  const env = { DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_MODE: 'a' }
  if (process.getuid() === 0) {
    await runQuietly('apt-get', [...options, ...args], { what: `apt-get ${args[0]}`, env })
    return
  }
  await runQuietly(
    'sudo',
    [...sudoOptions(install), 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...options, ...args],
    {
      what: `sudo apt-get ${args[0]}`,
    },
  )
}

/** Without a password where that works, else with sudo's own question where somebody can answer it. */
function sudoOptions(install) {
  if (spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0) return ['-n']
  if (process.stdin.isTTY && onPath('sudo')) return []
  throw new Error(`installing needs root; run this once and try again: sudo apt-get ${install.join(' ')}`)
}

function onPath(command) {
  return (process.env.PATH ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, command), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function isUbuntu() {
  try {
    return /^ID=ubuntu$/m.test(readFileSync('/etc/os-release', 'utf8'))
  } catch {
    return false
  }
}
