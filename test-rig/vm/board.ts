import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OwnedProcess } from '../src/lab/owned-process.ts'
import { programPaths } from '../src/lab/program-paths.ts'
import { RelayUnderTest } from '../src/rig/relay-under-test.ts'
import { until } from '../src/rig/until.ts'
import { bakeImage } from './bake-image.ts'
import { imageCache } from './image-cache.ts'
import { VirtualMachine } from './virtual-machine.ts'

/** The name that udev gives to the converter of the machine. */
export const serialDevice = '/dev/serial/by-id/usb-QEMU_QEMU_USB_SERIAL_pend00-if00-port0'
export const cameraDevice = '/dev/v4l/by-path/platform-vivid.0-video-index0'

const packages = join(import.meta.dirname, '..', '..', 'dist', 'packages')

/**
 * A board with the package installed and configured as a technician would do it, its simulated instrument at the end
 * of a USB cable, a virtual camera, and a relay for it, which runs here.
 */
export class Board implements AsyncDisposable {
  readonly machine: VirtualMachine
  readonly relay: RelayUnderTest
  readonly #stack: AsyncDisposableStack

  private constructor(machine: VirtualMachine, relay: RelayUnderTest, stack: AsyncDisposableStack) {
    this.machine = machine
    this.relay = relay
    this.#stack = stack
  }

  static async start(): Promise<Board> {
    await using stack = new AsyncDisposableStack()
    const startedAtMs = performance.now()
    const tell = (what: string): void =>
      console.log(`${Math.round((performance.now() - startedAtMs) / 1000)} s: ${what}`)
    const relay = stack.use(await RelayUnderTest.start())
    const image = await bakeImage({ cache: imageCache, tell })
    tell('the machine starts')
    const machine = stack.use(await VirtualMachine.start(image))
    tell('it is up; installing the package')
    await machine.reachOut([portOf(relay.access), portOf(relay.target)])
    // One camera that makes pictures by itself (node type 1 is video capture).
    await machine.must('modprobe vivid n_devs=1 node_types=1')
    await machine.copyIn(agentPackage(), '/root/relay-agent.deb')
    await machine.must('DEBIAN_FRONTEND=noninteractive dpkg --install /root/relay-agent.deb')
    tell('starting the agent')
    stack.use(await connectInstrument(machine.socket, stack))
    const board = new Board(machine, relay, stack.move())
    await board.#configure()
    return board
  }

  /** A property of the service, as systemd tells it. */
  async property(name: string): Promise<string> {
    return (await this.machine.must(`systemctl show --property ${name} --value relay-agent`)).trim()
  }

  async untilStatus(what: string, pattern: RegExp, withinMs = 60_000): Promise<string> {
    let text = ''
    const matching = async (): Promise<boolean> => {
      text = (await this.machine.run('systemctl status --no-pager --full relay-agent')).stdout
      return pattern.test(text)
    }
    try {
      await until(what, matching, { withinMs, everyMs: 500 })
    } catch (cause) {
      throw new Error(`the status never said ${what}; it says:\n${text}`, { cause })
    }
    return text
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }

  async #configure(): Promise<void> {
    const config = `name: pendulum 00
relay: { access: '${this.relay.access}' }
topics:
  - { topic: pend00-data, feed: data, tokenFile: tokens/data.token }
  - { topic: pend00-video, feed: video, tokenFile: tokens/video.token }
instruments:
  - { name: pendulum, device: '${serialDevice}' }
cameras:
  - { name: front, device: '${cameraDevice}', size: 320x180, kilobitsPerSecond: 300 }
`
    const { machine } = this
    for (const feed of ['data', 'video']) {
      const token = await this.relay.token(`pend00-${feed}`, { lifetimeSec: 7_200 })
      const path = `/etc/relay-agent/tokens/${feed}.token`
      await machine.must(`umask 077; cat > ${path} && chown relay-agent: ${path}`, { stdin: token })
    }
    await machine.must('cat > /etc/relay-agent/agent.yaml', { stdin: config })
    // Emulated, a start of Node takes many times as long as on a board.
    await machine.must(
      `mkdir -p /etc/systemd/system/relay-agent.service.d
      cat > /etc/systemd/system/relay-agent.service.d/emulated.conf
      systemctl daemon-reload`,
      { stdin: '[Service]\nTimeoutStartSec=300s\nWatchdogSec=180s\n' },
    )
    const { code } = await machine.run('systemctl restart relay-agent')
    if (code !== 0)
      throw new Error(
        `the agent does not start:\n${await machine.must('journalctl -b -u relay-agent -n 30')}`,
      )
  }
}

function portOf(address: string): number {
  return Number(new URL(address).port)
}

function agentPackage(): string {
  const name = existsSync(packages)
    ? readdirSync(packages).find((file) => /^relay-agent_.*_amd64\.deb$/.test(file))
    : undefined
  if (name === undefined) throw new Error(`there is no package in ${packages}; run "npm run package" first`)
  return join(packages, name)
}

/** The simulated pendulum at the far end of the machine's USB converter. */
async function connectInstrument(socket: string, stack: AsyncDisposableStack): Promise<OwnedProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'relay-vm-instrument-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const tty = join(folder, 'tty')
  stack.use(
    await OwnedProcess.start({
      name: 'cable',
      command: 'socat',
      args: [`pty,rawer,link=${tty}`, `UNIX-CONNECT:${socket}`],
    }),
  )
  return await OwnedProcess.start({
    name: 'instrument',
    command: process.execPath,
    args: [programPaths.instrument, '--kind', 'pendulum', '--tty', tty],
  })
}
