import { randomBytes } from 'node:crypto'
import { ChildProgram } from '../golden/child-program.ts'
import { FreePorts } from '../golden/free-ports.ts'
import { whenListening } from './listening-port.ts'
import { shellCommand } from './shell-command.ts'
import { shellToken } from './shell-token.ts'

type Environment = Readonly<Record<string, string>>

/** A cold start takes a second; on a machine that does much else, several. */
const startWithinMs = 60_000

/** Where ends dial and what their tokens must say: an old relay or one of ours. */
export interface AnyShellRelay {
  readonly secret: string
  readonly audience: string
  readonly prefix: 'shell' | 'connect'
  accessOf(id: string): string
}

/** A token for an end at that relay. */
export function tokenAt(
  { secret, audience, prefix }: AnyShellRelay,
  id: string,
  scope: 'host' | 'client' | 'stats',
  lifetimeS?: number,
): string {
  const options = { id, scope, prefix, audience, secret }
  return shellToken(lifetimeS === undefined ? options : { ...options, lifetimeS })
}

export interface RelayStart {
  readonly address?: string
  readonly ports?: { readonly access: number; readonly bar: number }
  readonly secret?: string
  readonly env?: Environment
  /** Words in front of the command, such as `ip netns exec name`. */
  readonly within?: readonly string[]
}

/** A shell relay of ours as a process of its own. */
export class ShellRelayProgram implements AnyShellRelay, AsyncDisposable {
  readonly program: ChildProgram
  readonly secret: string
  readonly ports: { readonly access: number; readonly bar: number }
  readonly prefix = 'shell'
  readonly #address: string

  private constructor(start: RelayStart, ports: ShellRelayProgram['ports']) {
    this.ports = ports
    this.secret = start.secret ?? randomBytes(24).toString('hex')
    this.#address = start.address ?? '127.0.0.1'
    this.program = new ChildProgram([...(start.within ?? []), ...shellCommand('v0.2.2', 'relay')], {
      SHELLRELAY_ACCESSPORT: String(ports.access),
      SHELLRELAY_RELAYPORT: String(ports.bar),
      SHELLRELAY_ACCESSFQDN: this.audience,
      SHELLRELAY_RELAYFQDN: `ws://${this.#address}:${String(ports.bar)}`,
      SHELLRELAY_SECRET: this.secret,
      ...start.env,
    })
  }

  /** Starts it; with `ports` and `secret`, in the place of an earlier one. */
  static async start(start: RelayStart = {}): Promise<ShellRelayProgram> {
    const free = new FreePorts()
    const relay = new ShellRelayProgram(
      start,
      start.ports ?? { access: await free.next(), bar: await free.next() },
    )
    try {
      await whenListening(relay.program, [relay.ports.access, relay.ports.bar], startWithinMs)
    } catch (error) {
      await relay.program.stop()
      throw error
    }
    return relay
  }

  get audience(): string {
    return `http://${this.#address}:${String(this.ports.access)}`
  }

  accessOf(id: string): string {
    return `${this.audience}/shell/${id}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program.stop()
  }
}

export interface EndStart {
  readonly relay: AnyShellRelay
  readonly id: string
  readonly env?: Environment
  readonly within?: readonly string[]
}

/** A shell host of ours as a process of its own. */
export function startHost({
  relay,
  id,
  sshdPort,
  env,
  within = [],
}: EndStart & { readonly sshdPort: number }) {
  return new ShellEnd([...within, ...shellCommand('v0.2.2', 'host')], {
    SHELLHOST_LOCALPORT: String(sshdPort),
    SHELLHOST_RELAYSESSION: relay.accessOf(id),
    SHELLHOST_TOKEN: tokenAt(relay, id, 'host'),
    ...env,
  })
}

/** A shell client of ours that listens on a port, once it does. */
export async function startClient({ relay, id, env, within = [] }: EndStart): Promise<ShellClientProgram> {
  const port = await new FreePorts().next()
  const client = new ShellClientProgram(port, [...within, ...shellCommand('v0.2.2', 'client')], {
    SHELLCLIENT_LOCALPORT: String(port),
    SHELLCLIENT_RELAYSESSION: relay.accessOf(id),
    SHELLCLIENT_TOKEN: tokenAt(relay, id, 'client'),
    ...env,
  })
  await whenListening(client.program, [port], startWithinMs)
  return client
}

/** A host or client of ours. */
export class ShellEnd implements AsyncDisposable {
  readonly program: ChildProgram

  constructor(command: readonly string[], env: Environment) {
    this.program = new ChildProgram(command, env)
  }

  /** As a crash does it. */
  async kill(): Promise<void> {
    this.program.signal('SIGKILL')
    await this.program.whenExited(startWithinMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program.stop()
  }
}

export class ShellClientProgram extends ShellEnd {
  readonly port: number

  constructor(port: number, command: readonly string[], env: Environment) {
    super(command, env)
    this.port = port
  }
}
