import { readdir, readlink } from 'node:fs/promises'
import { until } from '../../rig/until.ts'
import { type NetworkRoom, NetworkRooms } from '../network/network-room.ts'
import {
  type ShellClientProgram,
  type ShellEnd,
  ShellRelayProgram,
  startClient,
  startHost,
} from '../shell-programs.ts'
import { WatchedEnd, WatchedPort } from './watched-end.ts'

/** Where a session is when something happens. */
export const phases = ['pairing', 'banner', 'transfer', 'idle'] as const
export type Phase = (typeof phases)[number]

export interface WatchedSession {
  readonly phase: Phase
  readonly ssh: WatchedEnd
  /** Undefined while the session waits for its host. */
  readonly sshd: WatchedEnd | undefined
}

const startWithinMs = 90_000
const calmChecks = 10
/** What the ends wait for a lost link; two minutes outside of tests. */
export const resumeWithinMs = 10_000

/**
 * Client, relay and host of ours, each in a network namespace, with wires between that can be cut. The test plays ssh and
 * sshd itself, over ways that are not cut.
 */
export class EndsLab implements AsyncDisposable {
  readonly rooms: NetworkRooms
  readonly client: ShellClientProgram
  readonly relay: ShellRelayProgram
  readonly host: ShellEnd
  /** Its id has no host: its sessions never pair. */
  readonly lonely: ShellClientProgram
  readonly #sshd: WatchedPort
  readonly #clientAddress: string
  readonly #stack: AsyncDisposableStack
  #socketsAtRest: Sockets = { client: 0, lonely: 0, relay: 0, host: 0 }

  private constructor(parts: Omit<EndsParts, 'stack'>, stack: AsyncDisposableStack) {
    this.rooms = parts.rooms
    this.client = parts.client
    this.relay = parts.relay
    this.host = parts.host
    this.lonely = parts.lonely
    this.#sshd = parts.sshd
    this.#clientAddress = parts.clientAddress
    this.#stack = stack
  }

  static async start(): Promise<EndsLab> {
    await using stack = new AsyncDisposableStack()
    const rooms = stack.use(await NetworkRooms.open([undefined, undefined]))
    const [here, middle, there] = [rooms.room(0), rooms.room(1), rooms.room(2)]
    const { room: clientAddress } = await rooms.joinUs(here)
    const { us } = await rooms.joinUs(there)
    const sshd = stack.use(await WatchedPort.listen(us))
    const relay = stack.use(
      await ShellRelayProgram.start({
        address: middle.address,
        within: middle.within,
        env: { SHELLRELAY_RELAY_WAIT_FOR_HOST: '60s' },
      }),
    )
    const resume = `${String(resumeWithinMs)}ms`
    const host = stack.use(
      startHost({
        relay,
        id: 'pend00',
        sshdPort: sshd.port,
        within: there.within,
        env: { SHELL_HOST_SSHD_HOST: us, SHELL_HOST_LIMITS_RESUME_WITHIN: resume },
      }),
    )
    const env = {
      SHELL_CLIENT_LISTEN: '0.0.0.0',
      SHELL_CLIENT_RESUME_WITHIN: resume,
      // Long enough to be still waiting when something happens.
      SHELL_CLIENT_WAIT: '25s',
    }
    const [client, lonely] = await Promise.all(
      ['pend00', 'nobody'].map((id) => startClient({ relay, id, within: here.within, env })),
    )
    if (client === undefined || lonely === undefined) throw new TypeError('two clients were started')
    stack.use(client)
    stack.use(lonely)
    const lab = new EndsLab({ rooms, client, relay, host, lonely, sshd, clientAddress }, stack.move())
    await lab.#warmUp()
    return lab
  }

  /** Sockets that each program held when nothing was going on. */
  get socketsAtRest(): Sockets {
    return this.#socketsAtRest
  }

  /** One session, so that all is connected; and then until nothing of it is left. */
  async #warmUp(): Promise<void> {
    const { ssh } = await this.open('idle')
    ssh.close()
    let calm = 0
    await until(
      'sockets settle',
      async () => {
        const now = await this.sockets()
        calm = JSON.stringify(now) === JSON.stringify(this.#socketsAtRest) ? calm + 1 : 0
        this.#socketsAtRest = now
        return calm >= calmChecks && this.#sshd.open === 0
      },
      { withinMs: startWithinMs, everyMs: 200 },
    )
  }

  /** Opens a session and brings it into a phase. */
  async open(phase: Phase): Promise<WatchedSession> {
    if (phase === 'pairing') {
      const ssh = await WatchedEnd.dial(this.lonely.port, this.#clientAddress)
      ssh.answerEnd()
      return { phase, ssh, sshd: undefined }
    }
    const coming = this.#sshd.next(startWithinMs)
    const ssh = await WatchedEnd.dial(this.client.port, this.#clientAddress)
    ssh.answerEnd()
    const sshd = await coming
    if (sshd === undefined) throw new Error('the session did not reach sshd')
    sshd.answerEnd()
    if (phase === 'transfer') {
      sshd.pour()
      ssh.pour()
      await until('bytes flow', () => sshd.receivedBytes > 0 && ssh.receivedBytes > 0)
    } else if (phase === 'idle') {
      sshd.say('SSH-2.0-mock\r\n')
      ssh.say('SSH-2.0-ssh\r\n')
      await until('both have spoken', () => sshd.receivedBytes > 0 && ssh.receivedBytes > 0)
    }
    return { phase, ssh, sshd }
  }

  /** Sockets that each program holds now. */
  async sockets(): Promise<Sockets> {
    const { client, lonely, relay, host } = this
    const count = (program: { readonly program: { readonly pid: number } }) => socketsOf(program.program.pid)
    const [ofClient, ofLonely, ofRelay, ofHost] = await Promise.all([client, lonely, relay, host].map(count))
    return { client: ofClient ?? 0, lonely: ofLonely ?? 0, relay: ofRelay ?? 0, host: ofHost ?? 0 }
  }

  room(of: 'client' | 'relay' | 'host'): NetworkRoom {
    return this.rooms.room({ client: 0, relay: 1, host: 2 }[of])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }
}

export type Sockets = Readonly<Record<'client' | 'lonely' | 'relay' | 'host', number>>

interface EndsParts {
  readonly rooms: NetworkRooms
  readonly client: ShellClientProgram
  readonly relay: ShellRelayProgram
  readonly host: ShellEnd
  readonly lonely: ShellClientProgram
  readonly sshd: WatchedPort
  readonly clientAddress: string
  readonly stack: AsyncDisposableStack
}

/** How many sockets a process holds; none when it has gone. */
export async function socketsOf(pid: number): Promise<number> {
  const folder = `/proc/${String(pid)}/fd`
  const names = await readdir(folder).catch(() => [])
  const links = await Promise.all(names.map((name) => readlink(`${folder}/${name}`).catch(() => '')))
  return links.filter((link) => link.startsWith('socket:')).length
}
