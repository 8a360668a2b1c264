import { readFile } from 'node:fs/promises'
import { OwnedProcess } from '../../../test-rig/src/lab/owned-process.ts'
import { until } from '../../../test-rig/src/rig/until.ts'
import { ContainerCgroup } from './container-cgroup.ts'
import { ForwardedPort } from './forwarded-port.ts'
import { rootImage } from './root-image.ts'
import { type CommandOptions, expectCommand, type Outcome, runCommand } from './run-command.ts'

export interface ContainerOptions {
  /** Part of its name, unique among those of one test process. */
  readonly title: string
  /** Folders and devices of this machine, by where they stand inside; folders can only be read. */
  readonly folders?: Readonly<Record<string, string>>
  readonly devices?: Readonly<Record<string, string>>
  /** What an image, a hypervisor or a firmware would give to the machine. */
  readonly credentials?: Readonly<Record<string, string>>
}

const cleanEnvironment = [
  'env',
  '-i',
  'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
  'LANG=C.UTF-8',
  'HOME=/root',
  'TERM=dumb',
]
const bootWithinMs = 60_000
const stopWithinMs = 10_000

/**
 * A Debian with systemd as its first process, in a container. Invariants: what is written inside is gone with it; it has
 * a network of its own with loopback alone; it ends with the process that booted it, however that ends; cgroup v2 is
 * forced and BPF allowed, without which DeviceAllow and IPAddressDeny do nothing and say nothing.
 */
export class Container implements AsyncDisposable {
  readonly #process: OwnedProcess
  readonly #cgroup: ContainerCgroup
  /** Of its systemd, as this machine counts. */
  readonly #pid: number

  private constructor(process: OwnedProcess, cgroup: ContainerCgroup, pid: number) {
    this.#process = process
    this.#cgroup = cgroup
    this.#pid = pid
  }

  /**
   * Boots it, and bakes its image before where there is none.
   * @throws {Error} with the last it said where it does not come up within a minute.
   */
  static async boot({
    title,
    folders = {},
    devices = {},
    credentials = {},
  }: ContainerOptions): Promise<Container> {
    const image = await rootImage()
    const cgroup = await ContainerCgroup.create(title)
    const nspawn = [
      'systemd-nspawn',
      '--quiet',
      '--register=no',
      '--keep-unit',
      `--machine=${cgroup.name}`,
      `--directory=${image}`,
      '--volatile=overlay',
      '--private-network',
      '--console=pipe',
      '--system-call-filter=bpf',
      '--capability=CAP_BPF,CAP_NET_ADMIN,CAP_PERFMON',
      ...Object.entries(folders).map(([inside, outside]) => `--bind-ro=${outside}:${inside}`),
      ...Object.entries(devices).map(([inside, outside]) => `--bind=${outside}:${inside}`),
      ...Object.entries(credentials).map(([name, value]) => `--set-credential=${name}:${value}`),
      '--boot',
    ]
    const process = await OwnedProcess.start({
      name: cgroup.name,
      command: 'sh',
      args: ['-c', `${cgroup.enterScript} && exec "$@"`, 'sh', ...nspawn],
      env: { SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1' },
    })
    try {
      const pid = await until('the first process of the container', () => firstProcessUnder(process.pid))
      const container = new Container(process, cgroup, pid)
      await until('the end of its boot', () => container.#isUp(), { withinMs: bootWithinMs, everyMs: 100 })
      return container
    } catch (cause) {
      await process.kill()
      await cgroup[Symbol.asyncDispose]()
      throw new Error(`the container ${title} does not boot: ${process.lastLines.join('\n')}`, { cause })
    }
  }

  /** Runs a command inside as root, outside of any unit. */
  async run(command: string, args: readonly string[], options?: CommandOptions): Promise<Outcome> {
    return await runCommand('nsenter', this.#inside([command, ...args]), options)
  }

  /**
   * Runs a line of shell inside as root, which must work; gives its stdout.
   * @throws {Error} with what it said.
   */
  async shell(script: string, options?: CommandOptions): Promise<string> {
    return await expectCommand('nsenter', this.#inside(['sh', '-euc', script]), options)
  }

  /** Runs a program of this machine in the network of the container, which must work; gives its stdout. */
  async runInItsNetwork(command: string, args: readonly string[]): Promise<string> {
    return await expectCommand('nsenter', [`--target=${this.#pid}`, '--net', '--', command, ...args])
  }

  /** A port of this machine that leads to that port of loopback inside; whoever asks for it closes it. */
  async forward(port: number): Promise<ForwardedPort> {
    return await ForwardedPort.open(this.#pid, port)
  }

  /** Writes a file inside; folders above it are made. */
  async write(path: string, text: string, mode = '644'): Promise<void> {
    await this.shell(`mkdir -p "$(dirname '${path}')"; cat > '${path}'; chmod ${mode} '${path}'`, {
      input: text,
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing inside is worth a shutdown: with its first process the kernel ends all others.
    try {
      process.kill(this.#pid, 'SIGKILL')
    } catch {
      // It has ended by itself: what is around it must go all the same.
    }
    await this.#process.stop(stopWithinMs)
    await this.#cgroup[Symbol.asyncDispose]()
  }

  #inside(command: readonly string[]): readonly string[] {
    const namespaces = ['--mount', '--pid', '--uts', '--ipc', '--net', '--cgroup']
    return [`--target=${this.#pid}`, ...namespaces, '--', ...cleanEnvironment, ...command]
  }

  async #isUp(): Promise<boolean> {
    const { stdout } = await this.run('systemctl', ['is-system-running'])
    return ['running', 'degraded'].includes(stdout.trim())
  }
}

/** The child of nspawn that is number one of a namespace; a helper of nspawn, which soon goes, is none. */
async function firstProcessUnder(pid: number): Promise<number | undefined> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
  for (const child of children
    .split(' ')
    .map(Number)
    .filter((each) => each > 0)) {
    const status = await readFile(`/proc/${child}/status`, 'utf8').catch(() => '')
    const numbers = /^NSpid:\t(.*)$/m.exec(status)?.[1]?.split('\t') ?? []
    if (numbers.length > 1 && numbers.at(-1) === '1') return child
  }
  return undefined
}
