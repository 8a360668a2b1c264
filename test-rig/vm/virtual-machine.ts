import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FreePorts } from '../src/golden/free-ports.ts'
import { OwnedProcess } from '../src/lab/owned-process.ts'
import { until } from '../src/rig/until.ts'
import type { VmImage } from './bake-image.ts'
import { QmpClient } from './qmp-client.ts'

/** Emulated on two cores this takes half a minute, and there may be other work. */
const bootWithinMs = 180_000
const commandWithinMs = 330_000
const usbId = 'board'

/** How a command in the machine ended, and what it said. */
export interface Said {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * A board as a qemu machine, started from an image that it never changes. Reached by ssh as a technician would;
 * `socket` is the far end of a USB serial converter that can be plugged in and out. Disposing ends it.
 */
export class VirtualMachine implements AsyncDisposable {
  /** A unix socket: what is written there comes out of the machine's USB serial port while that is plugged in. */
  readonly socket: string
  readonly #qemu: OwnedProcess
  readonly #folder: string
  readonly #ssh: readonly string[]
  readonly #stack = new AsyncDisposableStack()

  private constructor(qemu: OwnedProcess, folder: string, ssh: readonly string[]) {
    this.#qemu = qemu
    this.#folder = folder
    this.#ssh = ssh
    this.socket = join(folder, 'serial.sock')
    this.#stack.defer(() => rm(folder, { recursive: true, force: true }))
    this.#stack.use(qemu)
  }

  /** Resolves when it has started up and answers ssh. */
  static async start(image: VmImage): Promise<VirtualMachine> {
    const folder = await mkdtemp(join(tmpdir(), 'relay-vm-'))
    const port = await new FreePorts().next()
    const qemu = await OwnedProcess.start({
      name: 'qemu',
      command: 'qemu-system-x86_64',
      args: qemuArguments(image, folder, port),
      // Its overlay of the disk goes where there is room.
      env: { TMPDIR: folder },
    })
    const ssh = sshOptions(image.sshKey, port)
    const machine = new VirtualMachine(qemu, folder, ssh)
    try {
      await machine.#booted()
    } catch (error) {
      const console = await readFile(join(folder, 'console.log'), 'utf8').catch(() => '')
      await machine[Symbol.asyncDispose]()
      throw new Error(`the machine did not start: ${console.slice(-500)}`, { cause: error })
    }
    return machine
  }

  /** Runs a shell command in it as root. Its exit code is the caller's business. */
  async run(command: string, { stdin = '' }: { readonly stdin?: string } = {}): Promise<Said> {
    return await runToEnd('ssh', [...this.#ssh, 'root@127.0.0.1', command], stdin)
  }

  /** @throws {Error} with what it said when its exit code is not 0. Gives its stdout. */
  async must(command: string, options?: { readonly stdin?: string }): Promise<string> {
    const { code, stdout, stderr } = await this.run(command, options)
    if (code !== 0) throw new Error(`"${command}" ended with ${code}: ${stdout}${stderr}`)
    return stdout
  }

  async copyIn(from: string, to: string): Promise<void> {
    const options = this.#ssh.map((word) => (word === '-p' ? '-P' : word))
    const { code, stderr } = await runToEnd('scp', ['-q', ...options, from, `root@127.0.0.1:${to}`], '')
    if (code !== 0) throw new Error(`copying ${from} failed: ${stderr}`)
  }

  /** Lets programs of the machine reach these ports of this one under the same numbers of its own loopback. */
  async reachOut(ports: readonly number[]): Promise<void> {
    const forwards = ports.flatMap((port) => ['-R', `127.0.0.1:${port}:127.0.0.1:${port}`])
    const tunnel = await OwnedProcess.start({
      name: 'ssh tunnel',
      command: 'ssh',
      args: ['-N', '-o', 'ExitOnForwardFailure=yes', ...forwards, ...this.#ssh, 'root@127.0.0.1'],
    })
    this.#stack.use(tunnel)
    const listening = ports.map(
      (port) => `grep -q ':${port.toString(16).toUpperCase().padStart(4, '0')} ' /proc/net/tcp`,
    )
    await until('the tunnel', async () => (await this.run(listening.join(' && '))).code === 0, {
      withinMs: 30_000,
      everyMs: 500,
    })
  }

  /** Plugs the USB serial converter in. */
  async plug(): Promise<void> {
    using qmp = await this.#control()
    await qmp.execute('device_add', {
      driver: 'usb-serial',
      id: usbId,
      chardev: 'serial',
      bus: 'usb.0',
      // The same in every round: else it would count up, and be another device each time.
      serial: 'pend00',
      // Otherwise it would be there only while somebody is connected to its socket.
      'always-plugged': true,
    })
  }

  async unplug(): Promise<void> {
    using qmp = await this.#control()
    await qmp.execute('device_del', { id: usbId })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#qemu.kill()
    await this.#stack.disposeAsync()
  }

  async #control(): Promise<QmpClient> {
    return await QmpClient.connect(join(this.#folder, 'control.sock'))
  }

  async #booted(): Promise<void> {
    const isUp = async (): Promise<boolean> => {
      if (!this.#qemu.isAlive) throw new Error(`qemu has ended: ${this.#qemu.lastLines.join(' | ')}`)
      return /running|degraded/.test((await this.run('systemctl is-system-running')).stdout)
    }
    await until('the start of the machine', isUp, { withinMs: bootWithinMs, everyMs: 1_000 })
  }
}

function qemuArguments(
  { disk, kernel, initrd }: VmImage,
  folder: string,
  sshPort: number,
): readonly string[] {
  const options = [
    ['-M', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2', '-m', '1024'],
    ['-display', 'none', '-monitor', 'none', '-serial', `file:${join(folder, 'console.log')}`],
    ['-kernel', kernel, '-initrd', initrd],
    ['-append', 'root=/dev/vda rw console=ttyS0 quiet net.ifnames=0 systemd.show_status=0'],
    ['-drive', `file=${disk},format=raw,if=virtio,snapshot=on`],
    ['-nic', `user,model=virtio-net-pci,restrict=on,hostfwd=tcp:127.0.0.1:${sshPort}-:22`],
    ['-device', 'qemu-xhci,id=usb'],
    ['-chardev', `socket,id=serial,path=${join(folder, 'serial.sock')},server=on,wait=off`],
    ['-qmp', `unix:${join(folder, 'control.sock')},server=on,wait=off`],
  ]
  return options.flat()
}

function sshOptions(key: string, port: number): readonly string[] {
  const options = [
    'BatchMode=yes',
    'StrictHostKeyChecking=no',
    'UserKnownHostsFile=/dev/null',
    'LogLevel=ERROR',
    'ConnectTimeout=10',
    'ServerAliveInterval=15',
  ]
  return ['-i', key, '-p', String(port), ...options.flatMap((option) => ['-o', option])]
}

async function runToEnd(command: string, args: readonly string[], stdin: string): Promise<Said> {
  const child = spawn(command, args, { timeout: commandWithinMs, stdio: ['pipe', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdin.on('error', () => undefined)
  child.stdin.end(stdin)
  return await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
}
