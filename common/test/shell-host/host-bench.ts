import { systemClock } from '../../src/clock.ts'
import { silentLog } from '../../src/log.ts'
import { ShellHost, type ShellHostDeps } from '../../src/shell-host/shell-host.ts'
import type { ShellHostOptions } from '../../src/shell-host/shell-host-options.ts'
import { fixedToken } from '../../src/token-source.ts'
import { FakeRelay, type RelayKind, type Wire } from './fake-relay.ts'
import { FakeSshd } from './fake-sshd.ts'

/** A host between a relay and an sshd of the test; all three end with it. */
export class HostBench implements AsyncDisposable {
  readonly host: ShellHost
  readonly relay: FakeRelay
  readonly sshd: FakeSshd
  readonly #stop = new AbortController()
  readonly #running: Promise<void>

  private constructor(relay: FakeRelay, sshd: FakeSshd, more: Partial<ShellHostOptions & ShellHostDeps>) {
    this.relay = relay
    this.sshd = sshd
    const options: ShellHostOptions = {
      access: relay.access,
      sshd: { host: 'localhost', port: sshd.port },
      sshdWithinMs: 900,
      hostKeyDirectory: '',
      deviceKeyFile: '',
      maxSessions: 8,
      sessionsPerSecond: 100,
      maxParkedBytes: 33_554_432,
      resumeWithinMs: 120_000,
      ...more,
    }
    const deps: ShellHostDeps = {
      clock: systemClock,
      random: () => 0,
      log: silentLog(),
      environment: {},
      token: fixedToken('the.host.token'),
      ...more,
    }
    this.host = new ShellHost(options, deps)
    this.#running = this.host.run(this.#stop.signal)
  }

  static async start(
    kind: RelayKind,
    more: Partial<ShellHostOptions & ShellHostDeps> = {},
  ): Promise<HostBench> {
    return new HostBench(await FakeRelay.start(kind), await FakeSshd.start(), more)
  }

  /** Opens a tunnel session as a client of ours does; gives the host's link. */
  async tunnel(
    manager: Wire,
    { session = 'abcdefghijklmnopqrstuv', token = '0'.repeat(32), ...more } = {},
  ): Promise<Wire> {
    const { link } = await this.relay.client(manager, { peer: 'tunnel', token })
    link.say({ type: 'paired', peer: 'tunnel' })
    link.say({ type: 'open', session, resume: false, received: 0, window: 4_194_304, ...more })
    return link
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    await this.relay[Symbol.asyncDispose]()
    await this.sshd[Symbol.asyncDispose]()
  }
}
