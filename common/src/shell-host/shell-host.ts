import type { Clock } from '../clock.ts'
import { ConfigError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Progress } from '../progress.ts'
import type { Environment } from '../proxy.ts'
import type { TokenSource } from '../token-source.ts'
import type { openLink } from '../tunnel/dial-link.ts'
import { hostAndPort } from './host-and-port.ts'
import { HostKeysDesk } from './host-keys-desk.ts'
import { HostSessions } from './host-sessions.ts'
import { parseShellAccess, type ShellAccess } from './shell-access.ts'
import type { ShellHostOptions } from './shell-host-options.ts'
import type { ShellHostStatus } from './shell-host-status.ts'
import { ShellManager } from './shell-manager.ts'

export interface ShellHostDeps {
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  /** Of the process, for its proxy. */
  readonly environment: Environment
  readonly token: TokenSource
  readonly openLink?: typeof openLink
}

const tickEveryMs = 1_000

/**
 * Joins people at a shell relay with the sshd of this machine: one manager, any number of sessions.
 *
 * Invariants: sessions outlive the manager, which comes and goes with the relay; when `run` has resolved no socket is
 * left.
 */
export class ShellHost {
  readonly #options: ShellHostOptions
  readonly #deps: ShellHostDeps
  readonly #access: ShellAccess
  readonly #keys: HostKeysDesk
  readonly #sessions: HostSessions
  readonly #manager: ShellManager

  /** @throws {ConfigError} `SHELL_ADDRESS_WRONG`: the session address is none. */
  constructor(options: ShellHostOptions, deps: ShellHostDeps) {
    const access = parseShellAccess(options.access)
    if (typeof access === 'string')
      throw new ConfigError('SHELL_ADDRESS_WRONG', `the session address of the shell relay: ${access}`)
    this.#options = options
    this.#deps = deps
    this.#access = access
    const { hostKeyDirectory: directory, deviceKeyFile } = options
    this.#keys = new HostKeysDesk({ id: access.id, directory, deviceKeyFile }, deps)
    this.#sessions = new HostSessions({ ...options, id: access.id }, deps)
    this.#manager = new ShellManager(
      { access: options.access.trim(), id: access.id },
      {
        ...deps,
        onClient: (message, address) => {
          if (message.kind === 'connect') this.#sessions.connect(message, address)
          else this.#sessions.disconnect(message.uuid)
        },
        onReady: () => void this.#publishKeys(),
      },
    )
  }

  get progress(): Progress {
    return this.#manager.progress
  }

  /** Serves until `signal` aborts. Never rejects for a fault of relay or sshd. */
  async run(signal: AbortSignal): Promise<void> {
    const { log } = this.#deps
    const { id, shown: destination } = this.#access
    log.info({ shell: id, destination, sshd: hostAndPort(this.#options.sshd) }, 'shell host started')
    try {
      await Promise.all([
        this.#manager.run(signal),
        this.#keys.watch(() => void this.#publishKeys(), signal),
        this.#tick(signal),
      ])
    } finally {
      await this.#sessions.close()
      log.info({ shell: id }, 'shell host stopped')
    }
  }

  status(): ShellHostStatus {
    const { id, shown } = this.#access
    const { fault, ...manager } = this.#manager.status
    const sessions = this.#sessions.status()
    const { receivedBytes, sentBytes, ...totals } = this.#sessions.totals
    return {
      name: id,
      destination: shown,
      ...manager,
      sshd: hostAndPort(this.#options.sshd),
      hostKeys: this.#keys.count,
      sessions,
      ...totals,
      // Of those that have ended, and of those that run.
      receivedBytes: sessions.reduce((sum, session) => sum + session.receivedBytes, receivedBytes),
      sentBytes: sessions.reduce((sum, session) => sum + session.sentBytes, sentBytes),
      fault: fault ?? this.#sessions.fault,
    }
  }

  async #publishKeys(): Promise<void> {
    try {
      const text = await this.#keys.message()
      if (text !== undefined) this.#manager.tell(text)
    } catch (error) {
      this.#deps.log.warn({ error }, 'the keys of sshd cannot be published')
    }
  }

  async #tick(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#deps.clock.sleep(tickEveryMs, signal)
      this.#sessions.tick()
    }
  }
}
