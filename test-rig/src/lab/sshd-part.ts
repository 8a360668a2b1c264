import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { OwnedProcess } from './owned-process.ts'
import type { Part } from './part.ts'

export interface SshdPartOptions {
  /** Only we can read it. */
  readonly directory: string
  readonly port: number
}

/** Where Debian and its kin have them; `sbin` is not on everybody's path. */
const programs = { sshd: '/usr/sbin/sshd', keygen: '/usr/bin/ssh-keygen', ssh: '/usr/bin/ssh' }
/** sshd that begins as root wants this folder; its unit makes it at each start of the machine. */
const rootsFolder = '/run/sshd'
const keygenWithinMs = 20_000
const askEveryMs = 50

/** What keeps an sshd from being had here; undefined where nothing does. */
export function whyNoSshd(): string | undefined {
  if (!existsSync(programs.sshd)) return 'openssh-server is not installed'
  return existsSync(programs.ssh) && existsSync(programs.keygen)
    ? undefined
    : 'openssh-client is not installed'
}

/** Public host keys of the laboratory's sshd, as in `/etc/ssh`. */
export function hostKeyDirectory(directory: string): string {
  return join(directory, 'host-keys')
}

/** The key with which one may log in there. */
export function userKeyFile(directory: string): string {
  return join(directory, 'user-key')
}

/**
 * An sshd of its own for the user who runs us, with throw-away keys: on loopback, and nobody logs in without the key in
 * `directory`. Makes the keys and gives the part that runs it.
 */
export async function sshdPart({ directory, port }: SshdPartOptions): Promise<Part> {
  const hostKeys = hostKeyDirectory(directory)
  await mkdir(hostKeys, { mode: 0o700 })
  const hostKey = join(hostKeys, 'ssh_host_ed25519_key')
  for (const file of [hostKey, userKeyFile(directory)])
    await promisify(execFile)(programs.keygen, ['-q', '-t', 'ed25519', '-N', '', '-C', 'lab', '-f', file], {
      timeout: keygenWithinMs,
    })
  // Beside what the agent tells the relay: who may log in is sshd's to know.
  const authorized = join(directory, 'authorized-keys')
  await writeFile(authorized, await readFile(`${userKeyFile(directory)}.pub`), { mode: 0o600 })
  if (process.getuid?.() === 0) await mkdir(rootsFolder, { recursive: true, mode: 0o755 })
  const config = join(directory, 'sshd.conf')
  await writeFile(config, sshdConfig({ port, hostKey, authorized }), { mode: 0o600 })
  return {
    name: 'sshd',
    start: () =>
      OwnedProcess.start({ name: 'sshd', command: programs.sshd, args: ['-D', '-e', '-f', config] }),
    ready: (signal) => untilListening(port, signal),
  }
}

function sshdConfig(options: {
  readonly port: number
  readonly hostKey: string
  readonly authorized: string
}) {
  const { port, hostKey, authorized } = options
  return [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${hostKey}`,
    `AuthorizedKeysFile ${authorized}`,
    // The folder lies below one in which everybody may write; it is ours alone itself.
    'StrictModes no',
    'UsePAM no',
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PidFile none',
    'UseDNS no',
    'Subsystem sftp internal-sftp',
    '',
  ].join('\n')
}

async function untilListening(port: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const isListening = await new Promise<boolean>((resolve) => {
      const socket = connect({ port, host: '127.0.0.1', signal })
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
    if (isListening) return
    await sleep(askEveryMs, undefined, { signal }).catch(() => undefined)
  }
}
