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
/** What compiles for the processor that this machine does not have, and the libraries to run the result with qemu. */
const otherProcessor =
  process.arch === 'arm64'
    ? { triplet: 'x86_64-linux-gnu', compiler: 'gcc-x86-64-linux-gnu', debian: 'amd64' }
    : { triplet: 'aarch64-linux-gnu', compiler: 'gcc-aarch64-linux-gnu', debian: 'arm64' }
const forPackage = [
  ...compiler,
  { package: otherProcessor.compiler, present: () => onPath(`${otherProcessor.triplet}-gcc`) },
  {
    package: `libc6-dev-${otherProcessor.debian}-cross`,
    present: () => existsSync(`/usr/${otherProcessor.triplet}/include/stdio.h`),
  },
  { package: 'git', present: () => onPath('git') },
  { package: 'xz-utils', present: () => onPath('xz') },
]
/** What the tests of the packages and of systemd need beyond making the packages. */
const forContainer = [
  {
    package: `libstdc++6-${otherProcessor.debian}-cross`,
    present: () => existsSync(`/usr/${otherProcessor.triplet}/lib/libstdc++.so.6`),
  },
  { package: 'lintian', present: () => onPath('lintian') },
  { package: 'mandoc', present: () => onPath('mandoc') },
  { package: 'mmdebstrap', present: () => onPath('mmdebstrap') },
  { package: 'arch-test', present: () => onPath('arch-test') },
  // The containers are Debian on Ubuntu as well, which does not know whom to trust for that.
  {
    package: 'debian-archive-keyring',
    present: () => existsSync('/usr/share/keyrings/debian-archive-keyring.gpg'),
  },
  { package: 'systemd', present: () => onPath('systemd-analyze') },
  { package: 'systemd-container', present: () => onPath('systemd-nspawn') },
  { package: 'qemu-user-static', present: () => onPath('qemu-aarch64-static') },
  { package: 'iproute2', present: () => onPath('ip') },
]
const forInstrument = [
  { package: 'mosquitto', present: () => onPath('mosquitto') },
  { package: 'ser2net', present: () => onPath('ser2net') },
  { package: 'openssl', present: () => onPath('openssl') },
]
/** The shell carries these; tests and benchmarks log in to an sshd of their own. */
const forShell = [
  { package: 'openssh-server', present: () => onPath('sshd') },
  { package: 'openssh-client', present: () => onPath('ssh') },
]
const forTest = [
  ...forStart,
  ...forPackage,
  ...forContainer,
  ...forInstrument,
  {
    package: isUbuntu() ? 'chromium-browser' : 'chromium',
    present: () => ['chromium', 'chromium-browser'].some(onPath),
  },
  { package: 'curl', present: () => onPath('curl') },
  ...forShell,
  { package: 'rsync', present: () => onPath('rsync') },
  { package: 'ansible-core', present: () => onPath('ansible') },
  { package: 'procps', present: () => onPath('ps') },
]
const needs = {
  start: forStart,
  test: forTest,
  check: [],
  bench: [...forStart, ...forShell, ...compiler],
  build: compiler,
  package: forPackage,
  'package:single': forPackage,
  soak: [...forStart, ...forInstrument, ...compiler],
  'test:vm': [
    ...forStart,
    ...forPackage,
    ...forContainer,
    { package: 'qemu-system-x86', present: () => onPath('qemu-system-x86_64') },
    { package: 'openssh-client', present: () => onPath('ssh') },
    { package: 'busybox-static', present: () => existsSync('/usr/share/doc/busybox-static') },
    { package: 'cpio', present: () => onPath('cpio') },
    { package: 'kmod', present: () => onPath('depmod') },
    { package: 'e2fsprogs', present: () => onPath('mke2fs') },
  ],
}

/** Installs with apt what `purpose` (a command of run.mjs, or `build`) needs and the machine lacks. */
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
  // Servers and tools of the administrator are not on everybody's path.
  return [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'].some((directory) => {
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
