import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { OwnedProcess } from '../src/lab/owned-process.ts'

/** What a virtual machine starts from. */
export interface VmImage {
  readonly disk: string
  readonly kernel: string
  readonly initrd: string
  /** Private key whose public part may log in as root. */
  readonly sshKey: string
}

export interface BakeOptions {
  /** Images are kept here, one folder for each recipe. */
  readonly cache: string
  readonly tell: (line: string) => void
}

const suite = 'bookworm'
/** What relay-agent depends on, so that installing it in the machine needs no network, and what the tests use. */
const packages = [
  'systemd',
  'systemd-sysv',
  'udev',
  'dbus',
  'openssh-server',
  'iproute2',
  'kmod',
  'procps',
  'ffmpeg',
  'v4l-utils',
  'adduser',
]
/** Of the kernel, before it can read its disk; everything else is loaded from there by udev. */
const earlyModules = ['virtio_pci', 'virtio_blk', 'virtio_net', 'ext4', 'crc32c_generic']
/** They would only slow the start down: under emulation each of them costs a second. */
const masked = [
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'dpkg-db-backup.timer',
  'e2scrub_all.timer',
  'e2scrub_reap.service',
  'fstrim.timer',
  'getty@tty1.service',
  'systemd-logind.service',
  'systemd-timesyncd.service',
]
const diskMiB = 3_000

/** The kernel is unpacked and not installed: making its initramfs would take longer than all the rest. */
const unpackKernel = `set -e; cd /tmp
apt-get download $(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: //p' | head -1)
dpkg-deb -x linux-image*.deb kernel
mv kernel/lib/modules /usr/lib/modules; mv kernel/boot/* /boot/; rm -r kernel linux-image*.deb`

const init = `#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
while read module; do /bin/busybox insmod /lib/modules/$module; done < /order
tries=0
until /bin/busybox mount -t ext4 /dev/vda /root; do
  tries=$((tries + 1)); [ $tries -gt 50 ] && exec /bin/busybox poweroff -f
  /bin/busybox sleep 0.1
done
/bin/busybox mount --move /dev /root/dev
exec /bin/busybox switch_root /root /sbin/init
`

/**
 * A small Debian with the stock kernel as a disk image: made once (about a minute and a half), then taken from the
 * cache until this recipe changes. Needs root, as mmdebstrap then makes device nodes and owners as they must be.
 * @throws {Error} with the end of what the failed tool said.
 */
export async function bakeImage({ cache, tell }: BakeOptions): Promise<VmImage> {
  const recipe = await readFile(import.meta.filename, 'utf8')
  const folder = join(cache, `vm-${createHash('sha256').update(recipe).digest('hex').slice(0, 12)}`)
  const image = imageIn(folder)
  if (existsSync(folder)) return image
  await mkdir(cache, { recursive: true })
  const work = await mkdtemp(join(tmpdir(), 'relay-vm-bake-'))
  const made = join(work, 'made')
  const unfinished = `${folder}.${process.pid}`
  try {
    await mkdir(made)
    tell('baking the image: Debian and its kernel (about a minute, only once)')
    const root = join(work, 'root')
    await bootstrap(root)
    tell('baking the image: initramfs, keys, disk')
    await configure(root, imageIn(made))
    await makeInitrd(root, work, imageIn(made).initrd)
    await cp(join(root, 'boot', `vmlinuz-${await kernelVersion(root)}`), imageIn(made).kernel)
    await run('truncate', ['-s', `${diskMiB}M`, imageIn(made).disk])
    await run('mke2fs', ['-q', '-t', 'ext4', '-O', '^has_journal', '-d', root, imageIn(made).disk])
    // All or nothing; across file systems a plain rename would not do.
    await cp(made, unfinished, { recursive: true })
    await rename(unfinished, folder)
  } catch (error) {
    // Another run may have been quicker.
    if (!existsSync(folder)) throw error
  } finally {
    await rm(work, { recursive: true, force: true })
    await rm(unfinished, { recursive: true, force: true })
  }
  return image
}

function imageIn(folder: string): VmImage {
  return {
    disk: join(folder, 'disk.img'),
    kernel: join(folder, 'vmlinuz'),
    initrd: join(folder, 'initrd.img'),
    sshKey: join(folder, 'ssh-key'),
  }
}

async function bootstrap(root: string): Promise<void> {
  await run('mmdebstrap', [
    '--quiet',
    '--variant=minbase',
    `--include=${packages.join(',')}`,
    '--aptopt=Acquire::Languages "none"',
    `--customize-hook=chroot "$1" sh -c '${unpackKernel.replaceAll("'", String.raw`'\''`)}'`,
    suite,
    root,
  ])
}

/** Network by DHCP, root by our key alone, a machine id made at the first start. */
async function configure(root: string, { sshKey }: VmImage): Promise<void> {
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'relay-vm', '-f', sshKey])
  await mkdir(join(root, 'root', '.ssh'), { mode: 0o700, recursive: true })
  await cp(`${sshKey}.pub`, join(root, 'root', '.ssh', 'authorized_keys'))
  const files = {
    'etc/systemd/network/80-dhcp.network': '[Match]\nType=ether\n[Network]\nDHCP=yes\n',
    'etc/hostname': 'board\n',
    'etc/fstab': '/dev/vda / ext4 rw 0 0\n',
    'etc/machine-id': '',
  }
  for (const [path, text] of Object.entries(files)) await writeFile(join(root, path), text)
  await run('chroot', [root, 'systemctl', '--quiet', 'enable', 'systemd-networkd', 'ssh'])
  await run('chroot', [root, 'systemctl', '--quiet', 'mask', ...masked])
  await run('chroot', [root, 'ssh-keygen', '-A'])
}

async function makeInitrd(root: string, work: string, initrd: string): Promise<void> {
  const version = await kernelVersion(root)
  await run('depmod', ['-b', root, version])
  const tree = join(work, 'initrd')
  for (const folder of ['bin', 'dev', 'proc', 'sys', 'root', 'lib/modules'])
    await mkdir(join(tree, folder), { recursive: true })
  await cp('/bin/busybox', join(tree, 'bin', 'busybox'))
  const modules = new Set<string>()
  for (const name of earlyModules) {
    const lines = await run('modprobe', ['-S', version, '-d', root, '--show-depends', name])
    for (const line of lines) {
      const path = /^insmod (\S+)/.exec(line)?.[1]
      if (path !== undefined) modules.add(path)
    }
  }
  for (const path of modules) await cp(path, join(tree, 'lib', 'modules', basename(path)))
  await writeFile(join(tree, 'order'), [...modules].map((path) => `${basename(path)}\n`).join(''))
  await writeFile(join(tree, 'init'), init, { mode: 0o755 })
  await run('sh', ['-c', `cd "$1" && find . | cpio -o -H newc --quiet | gzip -1 > "$2"`, 'sh', tree, initrd])
}

async function kernelVersion(root: string): Promise<string> {
  const [version] = await readdir(join(root, 'usr', 'lib', 'modules'))
  if (version === undefined) throw new Error(`no kernel was unpacked in ${root}`)
  return version
}

/** Runs a tool to its end and gives the lines of its output. */
async function run(command: string, args: readonly string[]): Promise<readonly string[]> {
  const lines: string[] = []
  // The tools of the administrator are not on everybody's path.
  const env = { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' }
  const tool = await OwnedProcess.start({
    name: command,
    command,
    args,
    env,
    onLine: (line) => lines.push(line),
  })
  const { code, signal } = await tool.ended
  if (code !== 0) throw new Error(`${command} failed (${code ?? signal}): ${tool.lastLines.join(' | ')}`)
  return lines
}
