import { readFileSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OwnedProcess } from '../../../test-rig/src/lab/owned-process.ts'
import { ForeignPrograms } from './foreign-programs.ts'
import { keptImage } from './kept-image.ts'
import { type CommandOptions, expectCommand } from './run-command.ts'
import { isOnPath } from './why-no-container.ts'

const suite = 'bookworm'
/** What the maintainer scripts of our packages call, and the libraries of Node. */
const packages = [
  'base-passwd',
  'coreutils',
  'dash',
  'diffutils',
  'dpkg',
  'grep',
  'init-system-helpers',
  'libc-bin',
  'libc6',
  'libgcc-s1',
  'libstdc++6',
  'sed',
  'systemd',
  'tar',
  'udev',
]
const bakeWithinMs = 300_000
const unpackWithinMs = 60_000

/** In a namespace of its own: its mounts and all that it started are gone with the last process. */
const isolated = ['unshare', '--mount', '--pid', '--fork', '--kill-child']
/** The root, then the command. */
const enter = [
  'root=$1; shift',
  'mount --bind /dev "$root/dev"',
  'mount --bind /dev/pts "$root/dev/pts"',
  'mount -t proc proc "$root/proc"',
  'exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/root chroot "$root" "$@"',
].join('\n')

/** Why this machine cannot run a Debian for arm64; undefined where it can. */
export function whyNoArm64Root(): string | undefined {
  if (process.getuid?.() !== 0) return 'it needs root'
  const needed = [
    'mmdebstrap',
    'unshare',
    'socat',
    ...(process.arch === 'arm64' ? [] : ['qemu-aarch64-static']),
  ]
  const missing = needed.filter((name) => !isOnPath(name))
  if (missing.length > 0) return `${missing.join(', ')} missing`
  const isKnown = readFileSync('/proc/filesystems', 'utf8').includes('binfmt_misc')
  return isKnown || process.arch === 'arm64' ? undefined : 'this kernel knows no binfmt_misc'
}

/**
 * A file system of Debian for arm64 whose programs run here, emulated where need be. They share the network of this
 * machine and its serial ports. Its packages were unpacked and not configured, which would take minutes under emulation:
 * its dpkg believes that nothing is installed.
 */
export class Arm64Root implements AsyncDisposable {
  readonly path: string
  readonly #stack: AsyncDisposableStack

  private constructor(path: string, stack: AsyncDisposableStack) {
    this.path = path
    this.#stack = stack
  }

  /** A fresh one; what it is unpacked from is made before where it is not in the cache (some 30 s). */
  static async unpack(): Promise<Arm64Root> {
    await using stack = new AsyncDisposableStack()
    const image = await keptImage(`${suite}-arm64-unpacked`, [suite, ...packages], bake)
    stack.use(await ForeignPrograms.allow())
    const path = await mkdtemp(join(tmpdir(), 'relay-arm64-'))
    stack.defer(() => rm(path, { recursive: true, force: true }))
    await expectCommand('tar', ['-xf', image, '-C', path], { withinMs: unpackWithinMs })
    for (const folder of ['proc', 'sys', 'run', 'etc']) await mkdir(join(path, folder), { recursive: true })
    // What the configuration of base-passwd would do.
    for (const file of ['passwd', 'group'])
      await copyFile(join(path, 'usr/share/base-passwd', `${file}.master`), join(path, 'etc', file))
    return new Arm64Root(path, stack.move())
  }

  /**
   * Runs a command inside as root, which must work; gives its stdout.
   * @throws {Error} with what it said.
   */
  async run(command: readonly string[], options?: CommandOptions): Promise<string> {
    const [unshare = '', ...args] = this.#inside(command)
    return await expectCommand(unshare, args, options)
  }

  /** Starts a program inside that goes on running; whoever asks for it ends it by `kill`. */
  async start(
    name: string,
    command: readonly string[],
    onLine: (line: string) => void,
  ): Promise<OwnedProcess> {
    const [unshare = '', ...args] = this.#inside(command)
    return await OwnedProcess.start({ name, command: unshare, args, onLine })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }

  #inside(command: readonly string[]): readonly string[] {
    return [...isolated, 'sh', '-euc', enter, 'sh', this.path, ...command]
  }
}

async function bake(path: string): Promise<void> {
  const options = ['--variant=extract', '--architectures=arm64', '--format=tar', '--quiet']
  await expectCommand(
    'mmdebstrap',
    [...options, `--include=${packages.join(',')}`, '--dpkgopt=path-exclude=/usr/share/doc/*', suite, path],
    { withinMs: bakeWithinMs },
  )
}
