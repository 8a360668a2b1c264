import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { userInfo, tmpdir } from 'node:os'
import { join } from 'node:path'
import { ChildProgram } from '../golden/child-program.ts'
import { FreePorts } from '../golden/free-ports.ts'
import { whenListening } from './listening-port.ts'
import { type Finished, runProgram } from './run-program.ts'

/** `ChrootDirectory` of sshd before somebody is logged in; its unit makes it at each start of the machine. */
const privilegeDirectory = '/run/sshd'
const startWithinMs = 30_000

/**
 * A tunnel that ssh reaches its sshd through: a local port, or a command that speaks on stdin and stdout. `within`: words in
 * front of ssh.
 */
export type SshRoute =
  | { readonly kind: 'port'; readonly port: number; readonly within?: readonly string[] }
  | { readonly kind: 'command'; readonly command: string; readonly within?: readonly string[] }

/** The name that ssh checks the host key by, whatever the route. */
const hostAlias = 'pend00'

export interface SshLabOptions {
  /** Words in front of sshd, such as `ip netns exec name`. */
  readonly within?: readonly string[]
  readonly listenAddress?: string
}

/**
 * A real sshd with keys and configuration of its own in a temporary folder, and the ssh programs that log in to it. Host
 * keys are checked, always. Dispose of it to end sshd and remove the folder.
 */
export class SshLab implements AsyncDisposable {
  /** For what the tests copy; it goes with the lab. */
  readonly directory: string
  readonly sshdPort: number
  readonly sshd: ChildProgram

  private constructor(directory: string, sshdPort: number, sshd: ChildProgram) {
    this.directory = directory
    this.sshdPort = sshdPort
    this.sshd = sshd
  }

  static async start({ within = [], listenAddress = '127.0.0.1' }: SshLabOptions = {}): Promise<SshLab> {
    const directory = await mkdtemp(join(tmpdir(), 'ssh-lab-'))
    const port = await new FreePorts().next()
    if (process.getuid?.() === 0) await mkdir(privilegeDirectory, { recursive: true, mode: 0o755 })
    for (const name of ['host-key', 'user-key'])
      await runProgram('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(directory, name)])
    await writeFile(join(directory, 'sshd.conf'), sshdConfig(directory, port, listenAddress))
    const hostKey = await readFile(join(directory, 'host-key.pub'), 'utf8')
    await writeFile(join(directory, 'known-hosts'), `${hostAlias} ${hostKey}`)
    const command = [...within, '/usr/sbin/sshd', '-D', '-e', '-f', join(directory, 'sshd.conf')]
    const sshd = new ChildProgram(command, {})
    const lab = new SshLab(directory, port, sshd)
    try {
      await whenListening(sshd, [port], startWithinMs)
    } catch (error) {
      await lab[Symbol.asyncDispose]()
      throw error
    }
    return lab
  }

  get user(): string {
    return userInfo().username
  }

  /** A path in the folder of the lab. */
  path(name: string): string {
    return join(this.directory, name)
  }

  /** The options that ssh, scp, sftp and rsync take alike. */
  options(route: SshRoute): readonly string[] {
    const settings = [
      `IdentityFile=${this.path('user-key')}`,
      'IdentitiesOnly=yes',
      `UserKnownHostsFile=${this.path('known-hosts')}`,
      'GlobalKnownHostsFile=/dev/null',
      'StrictHostKeyChecking=yes',
      `HostKeyAlias=${hostAlias}`,
      'BatchMode=yes',
      'LogLevel=ERROR',
      ...(route.kind === 'port' ? [`Port=${String(route.port)}`] : [`ProxyCommand=${route.command}`]),
    ]
    return ['-F', 'none', ...settings.flatMap((setting) => ['-o', setting])]
  }

  /** `user@host` for ssh; the port or the command of the route leads to the sshd of the lab. */
  target(route: SshRoute): string {
    return `${this.user}@${route.kind === 'port' ? '127.0.0.1' : hostAlias}`
  }

  /** Runs a command there and waits for its end. */
  ssh(route: SshRoute, command: string, options: RunOptions = {}): Promise<Finished> {
    const [program = '', ...words] = [...(route.within ?? []), 'ssh', ...this.options(route)]
    return runProgram(program, [...words, this.target(route), command], options)
  }

  /** Starts ssh with more words, and leaves it running. */
  startSsh(route: SshRoute, words: readonly string[]): ChildProgram {
    return new ChildProgram(
      [...(route.within ?? []), 'ssh', ...this.options(route), ...words, this.target(route)],
      {},
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sshd.stop()
    await rm(this.directory, { recursive: true, force: true })
  }
}

interface RunOptions {
  readonly input?: string
  readonly timeoutMs?: number
}

function sshdConfig(directory: string, port: number, listenAddress: string): string {
  return [
    `Port ${String(port)}`,
    `ListenAddress ${listenAddress}`,
    `HostKey ${join(directory, 'host-key')}`,
    `AuthorizedKeysFile ${join(directory, 'user-key.pub')}`,
    'StrictModes no',
    'UsePAM no',
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PidFile none',
    // All sessions come from loopback; fifty at once are no attack here.
    'MaxStartups 200:30:300',
    'MaxSessions 200',
    'AllowTcpForwarding yes',
    'UseDNS no',
    'Subsystem sftp internal-sftp',
    '',
  ].join('\n')
}
